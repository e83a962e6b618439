"""The loads: what senders post, how much of it a second, and whether everything came of it that should."""

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks import server
from benchmarks.client import Measured, Reply, ask, load, request
from benchmarks.intake.databases import IntakeDatabase

CONNECTIONS = 8
DRAIN_SECONDS = 300
GROUPS = 100
KEYS = 100


@dataclass
class Sent:
    """A load: what the client saw, and how long it took until all of it was worked off."""

    measured: Measured
    total: int
    seconds: float

    @property
    def rate(self) -> float:
        """Messages a second, from the first to the last one worked off."""
        return self.total / self.seconds


@dataclass
class Counter:
    """Counts answers, the uncounted warm-up's too."""

    total: int = 0
    first: float = field(default_factory=time.perf_counter)

    def note(self, reply: Reply) -> None:
        """One more."""
        self.total += 1


def ours(database: IntakeDatabase, port: int) -> tuple[list[str], dict[str, str], int]:
    """`manage.py serve` with its worker, as an operator runs it."""
    command, environment, port = server.ours(database, port)
    return [part for part in command if part != "--no-worker"], environment, port


def new_source(database: IntakeDatabase, kind: str = "generic", *group_by: str) -> dict[str, Any]:
    """A source of the kind: its id and key."""
    made: dict[str, Any] = json.loads(database.inside("source", kind, *group_by))
    return made


def one_by_one(key: str, bodies: Iterator[Any]) -> Iterator[bytes]:
    """Requests of one event each."""
    for body in bodies:
        yield request("POST", f"/intake/{key}/", body=body)


def distinct(prefix: str = "") -> Iterator[dict[str, Any]]:
    """Events that are all different, over a hundred groups."""
    for number in itertools.count():
        yield event(f"{prefix}{os.getpid()}-{number}", number % GROUPS)


def repeated() -> Iterator[dict[str, Any]]:
    """Events of a hundred keys, again and again."""
    for number in itertools.count():
        yield event(f"key-{number % KEYS}", number % GROUPS)


def event(key: str, group: int) -> dict[str, Any]:
    """What a script posts."""
    return {
        "title": f"{key} is almost full",
        "key": key,
        "status": "firing",
        "severity": "high",
        "message": "4 % of the space is left, 12 GB.",
        "labels": {"group": f"group-{group}", "host": f"host-{key}", "region": "zurich-1"},
    }


def alertmanager_posts(prefix: str, *, is_distinct: bool) -> Iterator[Any]:
    """Alertmanager's posts of fifty alerts each: always the same two thousand, or ever new ones."""
    for number in itertools.count():
        start = number * 50 if is_distinct else number % 40 * 50
        yield {
            "version": "4",
            "groupKey": f"{prefix}-{number % GROUPS}",
            "status": "firing",
            "receiver": "load",
            "groupLabels": {"alertname": f"Load{number % GROUPS}"},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.org",
            "alerts": [_alert(f"{prefix}{start + at:x}", number % GROUPS) for at in range(50)],
        }


def _alert(fingerprint: str, group: int) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": f"Load{group}", "instance": fingerprint, "job": "node", "severity": "warning"},
        "annotations": {"summary": "Load is high", "description": "The load has been above 8 for ten minutes."},
        "startsAt": "2026-11-20T10:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org/graph",
        "fingerprint": fingerprint,
    }


def run(port: int, database: IntakeDatabase, messages: Iterator[bytes], seconds: float) -> Sent:
    """Send for so long, then wait until everything is worked off."""
    counter = Counter()
    started = time.perf_counter()
    measured = load(port, messages, connections=CONNECTIONS, seconds=seconds, warm_up=0, collect=counter.note)
    drain(database)
    return Sent(measured, counter.total, time.perf_counter() - started)


def drain(database: IntakeDatabase) -> None:
    """Wait until nothing waits; RuntimeError when that never comes."""
    deadline = time.monotonic() + DRAIN_SECONDS
    look = watcher(database)
    while look():
        if time.monotonic() > deadline:
            raise RuntimeError("the queue is not worked off")
        time.sleep(0.1)


def watcher(database: IntakeDatabase) -> Callable[[], int]:
    """A function that says how many messages wait; quick, for it is asked while a measurement's clock runs."""
    query = "SELECT COUNT(*) FROM intake_intakeevent WHERE state = 'waiting'"
    if database.engine == "sqlite":
        import sqlite3

        def look() -> int:
            connection = sqlite3.connect(database.path, timeout=30)
            try:
                return int(connection.execute(query).fetchone()[0])
            finally:
                connection.close()

        return look

    def look_there() -> int:
        connection = database.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(query)
            return int(cursor.fetchone()[0])
        finally:
            connection.close()

    return look_there


def warm(port: int, key: str) -> None:
    """Until both processes serve and have met the door."""
    ask(port, request("GET", "/bench/plain/"))
    load(port, request("GET", "/bench/plain/"), connections=CONNECTIONS, seconds=2)
    messages = one_by_one(key, (event(f"warm-{number}", 0) for number in itertools.count()))
    load(port, messages, connections=CONNECTIONS, seconds=1)
