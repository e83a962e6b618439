"""Background jobs; each app registers its own."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db import transaction


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


Waker = Callable[[frozenset[str]], object]
_wakers: list[Waker] = []


def register_waker(waker: Waker) -> None:
    """Call this with the names of jobs that have work."""
    _wakers.append(waker)


def wake(*names: str) -> None:
    """Have jobs run soon, once this transaction commits; they would run anyway at their interval."""
    for waker in _wakers:
        transaction.on_commit(partial(waker, frozenset(names)))
