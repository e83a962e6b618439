"""A full queue, processed by one worker and by two in turns; and how often each of its events was read."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any
from unittest import mock

import orjson
from django.utils import timezone

from alerts.services import process_waiting, processing
from benchmarks.databases import ROOT, Database
from benchmarks.report import Line
from benchmarks.turns import take_turns
from intake.models import IntakeEvent, Source
from intake.services.queue import insert_events

EVENTS = 4000
SOURCES = 8
ALERTS = 100  # of each source
TURNS = 4


@dataclass
class Shared:
    """Events a second by the number of workers, and how many reads there were for each event."""

    rates: dict[int, float] = field(default_factory=dict)
    reads: Counter[int] = field(default_factory=Counter)

    @property
    def gain(self) -> float:
        """Return what two workers do for what one does."""
        return self.rates[2] / self.rates[1]

    @property
    def most_reads(self) -> int:
        """Return how often the event that was read most often was read."""
        return max(self.reads.values())


def lines(engine: str) -> Iterator[Line]:
    """Yield the limits; on SQLite, where one worker works at a time, there are none."""
    if engine != "sqlite":
        shared = share_queue(engine)
        yield Line("two workers on one full queue", "÷ one worker", shared.gain, 1.3, at_least=True)
        yield Line("reads of an event that two workers share", "the most", shared.most_reads, 1)


def share_queue(engine: str) -> Shared:
    """Measure on a database of its own."""
    database, shared = Database(engine, 0, "workers"), Shared()
    database.clear()
    database.create()
    takers = {number: partial(_process, database, number, shared.reads) for number in (1, 2)}
    shared.rates = {number: median(rates) for number, rates in take_turns(takers, TURNS).items()}
    return shared


def _process(database: Database, number: int, reads: Counter[int]) -> float:
    """Fill the queue, and return the events a second that so many workers process."""
    database.inside("intake.workers.fill", EVENTS)
    command = [sys.executable, "-m", "benchmarks.inside", "intake.workers.process"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen(command, cwd=ROOT, env=database.environment, **pipes) for _ in range(number)]
    for worker in workers:
        worker.stdout.readline()  # it is ready
    begun = time.monotonic()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    done = [json.loads(worker.communicate()[0]) for worker in workers]
    seconds = time.monotonic() - begun
    reads.update(pk for of_worker in done for pk in of_worker)
    return EVENTS / seconds


def fill(number: str) -> None:
    """Put so many events into the queue, of several sources in turn."""
    sources = [
        Source.objects.get_or_create(name=f"Workers {one}", defaults={"kind": "alertmanager", "group_by": ["service"]})[
            0
        ]
        for one in range(SOURCES)
    ]
    now = timezone.now()
    insert_events(
        [
            IntakeEvent(source=sources[one % SOURCES], format="alertmanager", body=_body(one), received_at=now)
            for one in range(int(number))
        ]
    )


def process() -> list[int]:
    """Process the queue until it is empty, and return the ids of the events that were read."""
    seen: list[int] = []
    read = processing.read

    def counted(event: IntakeEvent) -> processing.Reading:
        seen.append(event.pk)
        return read(event)

    process_waiting(limit=0)  # connects
    print("ready", flush=True)
    sys.stdin.readline()
    with mock.patch.object(processing, "read", counted):
        while process_waiting() or IntakeEvent.objects.waiting().exists():
            pass
    return seen


def _body(number: int) -> bytes:
    name = number // SOURCES % ALERTS
    labels = {"alertname": f"Load {name}", "service": f"service-{name % 20}", "severity": "high"}
    alert = {"status": "firing", "labels": labels, "annotations": {"summary": "Too much to do"}}
    return orjson.dumps({"version": "4", "status": "firing", "alerts": [{**alert, "startsAt": "2026-01-02T03:04:05Z"}]})
