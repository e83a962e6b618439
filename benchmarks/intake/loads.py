"""The loads: what senders post, how much of it a second, and whether everything came of it that should."""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.client import Measured, Reply, request
from benchmarks.databases import Database
from benchmarks.server import Site
from intake.models import IntakeEvent

DRAIN_SECONDS = 300
WAITING = f"SELECT COUNT(*) FROM {IntakeEvent._meta.db_table} WHERE state = 'waiting'"
GROUPS = 100
KEYS = 100
ALERTMANAGER: dict[str, Any] = {"source": "alertmanager", "group_by": ("alertname",), "alerts": 50}


@dataclass(frozen=True)
class Sent:
    """One turn of a load: what the client saw, and how long it took until all of it was processed."""

    measured: Measured
    total: int
    seconds: float

    @property
    def rate(self) -> float:
        """Return messages a second, from the first to the last one processed."""
        return self.total / self.seconds

    def percentile(self, percent: int) -> float:
        """Return milliseconds until the answer."""
        return self.measured.percentile(percent)


@dataclass(frozen=True)
class Kind:
    """A kind of load: what is posted, what must come of so many messages, and the source that takes them."""

    title: str
    bodies: Callable[[], Iterator[Any]]
    expects: Callable[[int], dict[str, int]] = lambda total: {}
    source: str = "generic"
    group_by: tuple[str, ...] = ("group",)
    alerts: int = 1  # a message


class Flow:
    """One load on one server, sent in as many turns as one likes."""

    def __init__(self, site: Site, kind: Kind) -> None:
        self.site, self.kind = site, kind
        self.source = new_source(site.database, kind.source, *kind.group_by)
        self.messages = one_by_one(self.source["key"], kind.bodies())
        self.total = 0

    def run(self, seconds: float) -> Sent:
        """Send for so long, and wait until it is processed."""
        replies: list[Reply] = []
        started = time.perf_counter()
        measured = self.site.load(self.messages, seconds=seconds, warm_up=0, collect=replies.append)
        drain(self.site.database)
        self.total += len(replies)
        return Sent(measured, len(replies), time.perf_counter() - started)

    def faults(self) -> list[str]:
        """Return what did not come of it as it should."""
        came = self.site.database.inside("intake.steps.counts", self.source["id"])
        expected = {"events": {"done": self.total}, "occurrences": self.total * self.kind.alerts}
        expected |= self.kind.expects(self.total)
        return [] if {**came, **expected} == came else [f"{self.kind.title}: {came} instead of {expected}"]


def new_source(database: Database, kind: str = "generic", *group_by: str) -> dict[str, Any]:
    """Return the id and the key of a new source of the kind."""
    made: dict[str, Any] = database.inside("intake.steps.source", kind, *group_by)
    return made


def one_by_one(key: str, bodies: Iterator[Any]) -> Iterator[bytes]:
    """Yield a request for each."""
    for body in bodies:
        yield request("POST", f"/intake/{key}/", body=body)


def distinct(prefix: str = "") -> Iterator[dict[str, Any]]:
    """Yield events that are all different, over a hundred groups."""
    for number in itertools.count():
        yield event(f"{prefix}{os.getpid()}-{number}", number % GROUPS)


def repeated() -> Iterator[dict[str, Any]]:
    """Yield events of a hundred keys, again and again."""
    for number in itertools.count():
        yield event(f"key-{number % KEYS}", number % GROUPS)


def event(key: str, group: int) -> dict[str, Any]:
    """Return what a script posts."""
    return {
        "title": f"{key} is almost full",
        "key": key,
        "status": "firing",
        "severity": "high",
        "message": "4 % of the space is left, 12 GB.",
        "labels": {"group": f"group-{group}", "host": f"host-{key}", "region": "zurich-1"},
    }


def alertmanager_posts(*, is_distinct: bool = False) -> Iterator[Any]:
    """Yield Alertmanager's posts of fifty alerts each: always the same two thousand, or ever new ones."""
    for number in itertools.count():
        start = number * 50 if is_distinct else number % 40 * 50
        yield {
            "version": "4",
            "groupKey": f"load-{number % GROUPS}",
            "status": "firing",
            "receiver": "load",
            "groupLabels": {"alertname": f"Load{number % GROUPS}"},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.org",
            "alerts": [_alert(f"a{start + at:x}", number % GROUPS) for at in range(50)],
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


KINDS = {
    "distinct": Kind(
        "one event a request, distinct alerts over 100 groups",
        distinct,
        lambda total: {"n": total, "incidents": min(total, GROUPS)},
    ),
    "own": Kind(
        "one event a request, each opening an incident of its own",
        lambda: distinct("own-"),
        lambda total: {"n": total, "incidents": total},
        group_by=(),
    ),
    "repeated": Kind(
        "one event a request, all duplicates of 100 keys",
        repeated,
        lambda total: {"n": min(total, KEYS), "incidents": min(total, GROUPS)},
    ),
    "posts repeated": Kind("Alertmanager posts of 50 alerts, repeats", alertmanager_posts, **ALERTMANAGER),
    "posts distinct": Kind(
        "Alertmanager posts of 50 alerts, distinct", lambda: alertmanager_posts(is_distinct=True), **ALERTMANAGER
    ),
}


def drain(database: Database) -> None:
    """Wait until nothing waits; RuntimeError when that never comes."""
    deadline = time.monotonic() + DRAIN_SECONDS
    # Without Django, whose start would take longer than the look: a measurement's clock runs meanwhile.
    while database.query(WAITING)[0][0]:
        if time.monotonic() > deadline:
            raise RuntimeError("the queue is not processed")
        time.sleep(0.05)


def warm(site: Site) -> None:
    """Meet the endpoint once, before anything is measured."""
    key = new_source(site.database)["key"]
    messages = one_by_one(key, (event(f"warm-{number}", 0) for number in itertools.count()))
    site.load(messages, seconds=1)
    drain(site.database)
