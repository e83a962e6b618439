"""Measuring one data set of stored alerts."""

import json
from dataclasses import dataclass, field

from benchmarks import server
from benchmarks.client import ask, load, request
from benchmarks.intake import lines, loads
from benchmarks.intake.databases import IntakeDatabase
from benchmarks.intake.visible import visible

PLAIN = request("GET", "/bench/plain/")


@dataclass
class IntakeResults:
    """What one data set showed: rates are a second, times in milliseconds."""

    database: IntakeDatabase
    rates: dict[str, float] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)
    p50: dict[str, float] = field(default_factory=dict)
    p99: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


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
    database = results.database
    for what, group_by, bodies in (
        ("distinct", ["group"], loads.distinct()),
        ("repeated", ["group"], loads.repeated()),
        ("own", [], loads.distinct("own-")),
    ):
        source = loads.new_source(database, "generic", *group_by)
        sent = loads.run(port, database, loads.one_by_one(source["key"], bodies), seconds)
        _note(results, what, sent, 1)
        came = json.loads(database.inside("counts", str(source["id"])))
        incidents = {"distinct": loads.GROUPS, "repeated": loads.GROUPS, "own": sent.total}[what]
        alerts = min(loads.KEYS, sent.total) if what == "repeated" else sent.total
        expected = {"events": {"done": sent.total}, "incidents": incidents, "n": alerts, "occurrences": sent.total}
        if came != expected:
            results.wrong.append(f"{what}: {came} instead of {expected}")


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
