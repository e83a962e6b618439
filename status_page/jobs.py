"""Background jobs, safe in any number of processes; each returns how many rows it did."""

import datetime as dt

from core.server.jobs import Job, until_done
from status_page.services import maintenance, subscribing, telling, writing


def step_maintenance(now: dt.datetime) -> int:
    """Begin and complete planned maintenance."""
    return maintenance.step_maintenance(now)


def plan_telling(now: dt.datetime) -> int:
    """Write deliveries to the subscribers of updates."""
    return telling.plan_telling(now)


def prune_subscribers(now: dt.datetime) -> int:
    return until_done(lambda: subscribing.prune(now), subscribing.PRUNED)


def write_status_page(now: dt.datetime) -> int:
    """Write what changed of the page, and each minute that it is up to date."""
    return writing.write_page(now)


JOBS = (
    Job("step_maintenance", step_maintenance, 5),
    Job("write_status_page", write_status_page, 20),
    Job("plan_telling", plan_telling, 10),
    Job("prune_subscribers", prune_subscribers, 600),
)
