"""Background jobs; each app registers its own."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db import transaction


@dataclass(frozen=True)
class Job:
    """A function of now that does what is due and counts it.

    An eager one looks again soon, for a while, after it found work.
    """

    name: str
    run: Callable[[dt.datetime], int]
    interval: float  # seconds
    group: str = "general"  # a worker may run some groups only
    is_eager: bool = False


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


def remove_waker(waker: Waker) -> None:
    _wakers.remove(waker)


def wake(*names: str) -> None:
    """Have jobs run soon, once this transaction commits; they would run anyway at their interval."""
    if names:
        for waker in _wakers:
            # robust: the transaction is committed, whatever becomes of the message
            transaction.on_commit(partial(waker, frozenset(names)), robust=True)
