"""Background jobs; each app registers its own."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A function of now that does what is due and counts it."""

    name: str
    run: Callable[[dt.datetime], int]
    interval: float  # seconds


_jobs: dict[str, Job] = {}


def register_jobs(*jobs: Job) -> None:
    for job in jobs:
        if job.name in _jobs:
            raise ValueError(f"There are two jobs named {job.name}.")
        _jobs[job.name] = job


def all_jobs() -> list[Job]:
    return list(_jobs.values())
