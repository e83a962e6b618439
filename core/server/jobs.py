"""Background jobs; each app registers its own."""

import datetime as dt
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

GENERAL = "general"
GATHER_SECONDS = 0.08


@dataclass(frozen=True)
class Job:
    """A function of now that does what is due and counts it.

    An eager one looks again soon, for a while, after it found work.
    """

    name: str
    run: Callable[[dt.datetime], int]
    interval: float  # seconds
    group: str = GENERAL  # a worker may run some groups only
    is_eager: bool = False
    gather: float = GATHER_SECONDS  # between starts, however often it is woken


def until_done(step: Callable[[], int], batch: int, most: int = 20) -> int:
    """Repeat a step of a job while it does whole batches, `most` times; return how many rows it did."""
    total = 0
    for _ in range(most):
        done = step()
        total += done
        if done < batch:
            break
    return total


class UnknownGroup(ValueError):
    """The message is for the operator."""


_jobs: dict[str, Job] = {}


def register_jobs(*jobs: Job) -> None:
    for job in jobs:
        if job.name in _jobs:
            raise ValueError(f"There are two jobs named {job.name}.")
        _jobs[job.name] = job


def all_jobs() -> list[Job]:
    return list(_jobs.values())


def all_groups() -> list[str]:
    return sorted({job.group for job in _jobs.values()})


def jobs_of(only: Collection[str] = (), leave_out: Collection[str] = ()) -> list[Job]:
    """Return the jobs of some groups, or of all but some. Raises UnknownGroup."""
    groups = all_groups()
    if unknown := sorted({*only, *leave_out}.difference(groups)):
        raise UnknownGroup(f"There is no group of jobs named {', '.join(unknown)}; there are: {', '.join(groups)}.")
    return [job for job in all_jobs() if job.group not in leave_out and (not only or job.group in only)]


_of_thread = threading.local()


@contextmanager
def stopping_by(stopping: threading.Event) -> Iterator[None]:
    """Have the jobs of this thread, inside, end soon once this is set."""
    _of_thread.stopping = stopping
    try:
        yield
    finally:
        _of_thread.stopping = None


def is_stopping() -> bool:
    """Return whether a long run should end now."""
    stopping = getattr(_of_thread, "stopping", None)
    return stopping is not None and stopping.is_set()


Waker = Callable[[frozenset[str]], object]
_wakers: list[Waker] = []


def register_waker(waker: Waker) -> None:
    """Call this with the names of jobs that have work."""
    _wakers.append(waker)


def remove_waker(waker: Waker) -> None:
    _wakers.remove(waker)


def wake(*names: str) -> None:
    """Have jobs run soon after this transaction commits."""

    def tell_wakers() -> None:
        for waker in _wakers:
            waker(frozenset(names))

    if names and _wakers:
        transaction.on_commit(tell_wakers, robust=True)  # what is committed stays so, whatever a waker raises
