"""Jobs of escalation: rows that are due, in any number of processes."""

import datetime as dt

from core.server.jobs import Job, until_done
from incidents.services import feed
from paging.services import auditing, performing, starting

MAX_BATCHES = 50  # per run


def start_escalations(now: dt.datetime) -> int:
    """Start escalations of incidents that were opened or handed over."""
    return until_done(starting.follow_feed, feed.BATCH, MAX_BATCHES)


def perform_steps(now: dt.datetime) -> int:
    """Page whom the steps that are due name."""
    return until_done(performing.perform_due, performing.BATCH, MAX_BATCHES)


def audit_escalations(now: dt.datetime) -> int:
    """Look whether everybody is paged who should be."""
    return auditing.audit(now)


JOBS = (
    Job("start_escalations", start_escalations, 10),
    Job("perform_steps", perform_steps, 1),
    Job("audit_escalations", audit_escalations, 30),
)
