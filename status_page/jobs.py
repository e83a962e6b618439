"""Background jobs, safe in any number of processes; each returns how many rows it did."""

import datetime as dt

from core.server.jobs import Job
from status_page.services import maintenance


def step_maintenance(now: dt.datetime) -> int:
    """Begin and complete planned maintenance."""
    return maintenance.step_maintenance(now)


JOBS = (Job("step_maintenance", step_maintenance, 5),)
