"""Measuring one data set of stored alerts."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks import server
from benchmarks.client import ask, load, request
from benchmarks.intake import lines, loads
from benchmarks.intake.databases import IntakeDatabase
from benchmarks.intake.visible import visible

PLAIN = request("GET", "/bench/plain/")
TURNS = 4
# What is grouped by, and the events.
EVENTS: dict[str, tuple[list[str], Callable[[], Iterator[Any]]]] = {
    "distinct": (["group"], loads.distinct),
    "repeated": (["group"], loads.repeated),
    "own": ([], lambda: loads.distinct("own-")),
}


@dataclass
class IntakeResults:
    """What one data set showed: rates are a second, times in milliseconds."""

    database: IntakeDatabase
    rates: dict[str, float] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)
    p50: dict[str, float] = field(default_factory=dict)
    p99: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    of_none: dict[str, float] = field(default_factory=dict)  # rates ÷ those at none, measured in turns


def measure(database: IntakeDatabase, seconds: float) -> IntakeResults:
    """Everything that is measured at this number of stored alerts."""
    database.ensure()
    results = IntakeResults(database)
    port = server.free_port()
    with server.running(*loads.ours(database, port)):
        warmth = loads.new_source(database)
        loads.warm(port, warmth["key"])
        loads.drain(database)
        results.rates["empty ours"] = load(port, PLAIN, connections=loads.CONNECTIONS, seconds=seconds / 2).rate
        _events(results, port, seconds)
        _posts(results, port, seconds)
        if not database.size:
            times = visible(port, database, seconds)
            results.rates |= lines.rates(port, database, seconds)
            results.p50["visible"], results.p99["visible"] = times.percentile(50), times.percentile(99)
    port = server.free_port()
    with server.running(*server.gunicorn(database, port)):
        ask(port, PLAIN)  # the socket listens before anybody answers
        load(port, PLAIN, connections=loads.CONNECTIONS, seconds=1)
        results.rates["empty gunicorn"] = load(port, PLAIN, connections=loads.CONNECTIONS, seconds=seconds / 2).rate
    results.rates["empty"] = max(results.rates["empty ours"], results.rates["empty gunicorn"])
    return results


def _events(results: IntakeResults, port: int, seconds: float) -> None:
    for what in EVENTS:
        flow = Flow(results.database, port, what)
        sent = flow.run(seconds)
        _note(results, what, sent, 1)
        results.wrong += flow.faults()


class Flow:
    """One load of single events on one database, sent in as many turns as one likes."""

    def __init__(self, database: IntakeDatabase, port: int, what: str) -> None:
        group_by, bodies = EVENTS[what]
        self.database, self.port, self.what = database, port, what
        self.source = loads.new_source(database, "generic", *group_by)
        self.messages = loads.one_by_one(self.source["key"], bodies())
        self.total, self.seconds = 0, 0.0

    def run(self, seconds: float) -> loads.Sent:
        """Send for so long, and wait until it is worked off."""
        sent = loads.run(self.port, self.database, self.messages, seconds)
        self.total += sent.total
        self.seconds += sent.seconds
        return sent

    def faults(self) -> list[str]:
        """What did not come of it as it should."""
        came = json.loads(self.database.inside("counts", str(self.source["id"])))
        alerts = min(loads.KEYS, self.total) if self.what == "repeated" else self.total
        incidents = self.total if self.what == "own" else loads.GROUPS
        expected = {"events": {"done": self.total}, "incidents": incidents, "n": alerts, "occurrences": self.total}
        return [] if came == expected else [f"{self.what}: {came} instead of {expected}"]


def in_turns(empty: IntakeDatabase, stored: IntakeDatabase, seconds: float) -> tuple[dict[str, float], list[str]]:
    """The rates at many stored alerts ÷ those at none, and what came out wrong.

    The two are measured in turns, ABBA, by servers that both run all the while: within the minutes between two
    measurements a machine's pace may change by more than what is looked for.
    """
    with contextlib.ExitStack() as stack:
        flows: dict[str, list[Flow]] = {what: [] for what in EVENTS}
        for database in (empty, stored):
            database.ensure()
            port = server.free_port()
            stack.enter_context(server.running(*loads.ours(database, port)))
            loads.warm(port, loads.new_source(database)["key"])
            loads.drain(database)
            for what, of_it in flows.items():
                of_it.append(Flow(database, port, what))
        for turn in range(TURNS):
            for of_it in flows.values():
                for flow in of_it[:: -1 if turn % 2 else 1]:
                    flow.run(seconds / TURNS)
        wrong = [fault for of_it in flows.values() for flow in of_it for fault in flow.faults()]
    rates = {what: [flow.total / flow.seconds for flow in of_it] for what, of_it in flows.items()}
    return {what: at_many / at_none for what, (at_none, at_many) in rates.items()}, wrong


def _posts(results: IntakeResults, port: int, seconds: float) -> None:
    for what in ("posts repeated", "posts distinct"):
        source = loads.new_source(results.database, "alertmanager", "alertname")
        bodies = loads.alertmanager_posts("a", is_distinct=what == "posts distinct")
        sent = loads.run(port, results.database, loads.one_by_one(source["key"], bodies), seconds)
        _note(results, what, sent, 50)
        came = json.loads(results.database.inside("counts", str(source["id"])))
        if came["occurrences"] != sent.total * 50:
            results.wrong.append(f"{what}: {came['occurrences']} occurrences instead of {sent.total * 50}")


def _note(results: IntakeResults, what: str, sent: loads.Sent, alerts: int) -> None:
    results.rates[what] = sent.rate * alerts
    results.accepted[what] = sent.measured.rate * alerts
    results.p50[what], results.p99[what] = sent.measured.percentile(50), sent.measured.percentile(99)
