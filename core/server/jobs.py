"""Background jobs; each app registers its own."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A function of the present time that does what is due and returns how many rows."""

    name: str
    run: Callable[[dt.datetime], int]
    interval: float  # seconds from one start to the next


_jobs: dict[str, Job] = {}


def register_jobs(*jobs: Job) -> None:
    """Have the worker run these jobs."""
    for job in jobs:
        if job.name in _jobs:
            raise ValueError(f"There are two jobs named {job.name}.")
        _jobs[job.name] = job


def all_jobs() -> list[Job]:
    """Return every registered job."""
    return list(_jobs.values())
