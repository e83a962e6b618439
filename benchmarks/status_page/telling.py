"""Measure how long it takes to tell many subscribers of one update, with two workers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.databases import Database
from benchmarks.paging import sinks, workers

PATIENCE = 300.0  # seconds


@dataclass(frozen=True)
class Told:
    """Seconds until all deliveries were committed and until all were sent, and what went wrong."""

    committed: float
    sent: float
    planned_twice: int
    sent_twice: int
    left: int


def measure_telling(engine: str, number: int) -> Told:
    """Publish an incident to so many subscribers, on a database made anew."""
    database = Database(engine, 0, "status")
    database.clear()
    database.create()
    try:
        wanted = database.inside("status_page.subscribers.make", number)
        with sinks.running("smtp") as sink, workers.several(database, 2, EMAIL_URL=sink.url):
            begun = database.inside("status_page.subscribers.announce")
            committed = _until(database, lambda found: found["planned"] >= wanted and not found["to_plan"]) - begun
            sent = _until(database, lambda found: not found["to_send"]) - begun
        return Told(committed, sent, **database.inside("status_page.subscribers.faults"))
    finally:
        database.clear()


def _until(database: Database, is_done: Callable[[dict[str, int]], bool]) -> float:
    """Return when it was done, to a second or so: each look starts a process."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        found = database.inside("status_page.subscribers.progress")
        if is_done(found):
            return time.time()
        time.sleep(0.2)
    raise RuntimeError(f"Not all were told: {found}")
