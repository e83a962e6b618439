"""Jobs of escalation: rows that are due, in any number of processes."""

import datetime as dt
from collections.abc import Callable

from core.server.jobs import Job
from incidents.services import feed
from paging.services import auditing, performing, starting

MAX_BATCHES = 50  # per run


def start_escalations(now: dt.datetime) -> int:
    """Start escalations of incidents that were opened or handed over."""
    return _until_done(starting.follow_feed, feed.BATCH)


def perform_steps(now: dt.datetime) -> int:
    """Page whom the steps that are due name."""
    return _until_done(performing.perform_due, performing.BATCH)


def audit_escalations(now: dt.datetime) -> int:
    """Look whether everybody is paged who should be."""
    return auditing.audit(now)


def _until_done(step: Callable[[], int], batch: int) -> int:
    total = 0
    for _ in range(MAX_BATCHES):
        done = step()
        total += done
        if done < batch:
            break
    return total


JOBS = (
    Job("start_escalations", start_escalations, 10, is_eager=True),
    Job("perform_steps", perform_steps, 1),
    Job("audit_escalations", audit_escalations, 15),
)
