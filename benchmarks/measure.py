"""Measuring one data set: starts the servers, sends the requests, writes down what it saw."""

import json
import statistics
from dataclasses import dataclass, field
from typing import Any

from benchmarks import cases, client, server
from benchmarks.client import Measured, ask, load, request
from benchmarks.databases import Database

CONNECTIONS = 8


@dataclass(frozen=True)
class Pace:
    """How long each thing is measured."""

    seconds: float
    heavy: int  # times


@dataclass
class Figures:
    """What one kind of request showed."""

    title: str
    p50: float
    p95: float
    p99: float
    rate: float
    connections: int
    queries: int | None = None


@dataclass
class Results:
    """All of one data set."""

    database: Database
    figures: dict[str, Figures] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)


def measure(database: Database, pace: Pace) -> Results:
    """Everything, on this data set."""
    results = Results(database)
    spent = json.loads(database.run("-m", "benchmarks.inside", str(database.size), "--naive"))
    results.numbers["naive"] = statistics.median(spent)
    port = server.free_port()
    with server.running(*server.ours(database, port)) as pid:
        _yardsticks(results, port, "our server", pace)
        tokens = _requests(results, port, pace)
        pids = server.web_processes(pid)
        _export(results, port, tokens["admin"], pids)
        memory = [server.resident(pid) for pid in pids]
    for kind in ("all", "anonymous", "files"):
        results.numbers[f"memory {kind}"] = max(figures[kind] for figures in memory)
    port = server.free_port()
    with server.running(*server.gunicorn(database, port)):
        _yardsticks(results, port, "gunicorn", pace)
    for what in ("empty", "post"):
        results.numbers[what] = max(results.figures[f"{what} {name}"].rate for name in ("our server", "gunicorn"))
    _tidy(database)
    return results


def compare(database: Database, pace: Pace) -> Results:
    """The requests alone: what a small data set is measured for."""
    results = Results(database)
    port = server.free_port()
    with server.running(*server.ours(database, port)):
        _warm(port)
        _requests(results, port, pace)
    _tidy(database)
    return results


def _requests(results: Results, port: int, pace: Pace) -> dict[str, str]:
    """Reads before writes, so that reading meets the data set as it was made; returns the tokens used."""
    tokens: dict[str, str] = json.loads(
        results.database.run("-m", "benchmarks.inside", str(results.database.size), "--tokens")
    )
    _reads(results, port, tokens, pace)
    _writes(results, port, tokens, pace)
    return tokens


def _tidy(database: Database) -> None:
    database.run("-m", "benchmarks.inside", str(database.size))


def client_ceiling() -> float:
    """Requests per second that the client manages against a server that does nothing."""
    port = server.free_port()
    with server.running(*server.parrot(port)):
        return load(port, cases.empty(), connections=CONNECTIONS, seconds=2).rate


def _warm(port: int) -> None:
    """Wait until both processes serve.

    The socket listens before the processes behind it are there; the first answer comes once one is, and the load that
    nobody measures lasts until the other is, too.
    """
    ask(port, cases.empty())
    load(port, cases.empty(), connections=CONNECTIONS, seconds=3)


def _yardsticks(results: Results, port: int, name: str, pace: Pace) -> None:
    _warm(port)
    for what, message in (("empty", cases.empty()), ("post", cases.posts())):
        measured = load(port, message, connections=CONNECTIONS, seconds=pace.seconds)
        title = {"empty": "empty DRF view", "post": "DRF POST with 12 fields"}[what]
        _note(results, f"{what} {name}", f"{title}, {name}", measured, CONNECTIONS)


def _reads(results: Results, port: int, tokens: dict[str, str], pace: Pace) -> None:
    thousandth = cases.thousandth_page(port, tokens["responder"])
    lists = [*cases.LISTS, *([thousandth] if thousandth else [])]
    for case in [*lists, *cases.SEARCHES, *cases.DETAILS, *cases.NUMBERS]:
        _read(results, port, case, tokens["responder"], pace)


def _read(results: Results, port: int, case: cases.Case, token: str, pace: Pace) -> None:
    message = request("GET", case.path, token=token)
    counted = ask(port, request("GET", case.path, token=token, headers=cases.COUNT))
    if counted.status != 200:
        raise client.Refused(f"{case.path}: {counted.status} {counted.body[:300]!r}")
    if case.is_heavy:
        measured = load(port, message, connections=1, seconds=120, warm_up=0, at_most=pace.heavy)
    else:
        measured = load(port, message, connections=CONNECTIONS, seconds=pace.seconds)
    queries = int(counted.headers["x-query-count"])
    _note(results, case.key, case.title, measured, 1 if case.is_heavy else CONNECTIONS, queries)


def _writes(results: Results, port: int, tokens: dict[str, str], pace: Pace) -> None:
    fresh, token = cases.Fresh(), tokens["responder"]
    measured = load(port, cases.creations(token), connections=CONNECTIONS, seconds=pace.seconds * 2, collect=fresh.note)
    # Counted afterwards: the first write of a process also looks up what it then knows for good.
    counted = ask(port, cases.creations(token).replace(b"Accept:", cases.COUNT.encode() + b"Accept:", 1))
    _note(results, "create", "create (JSON)", measured, CONNECTIONS, int(counted.headers["x-query-count"]))
    moves = fresh.moves(token)
    counted = ask(port, next(moves).replace(b"Accept:", cases.COUNT.encode() + b"Accept:", 1))
    measured = load(port, moves, connections=CONNECTIONS, seconds=pace.seconds * 2)
    _note(results, "transition", "transition", measured, CONNECTIONS, int(counted.headers["x-query-count"]))


def _export(results: Results, port: int, token: str, pids: list[int]) -> None:
    message = request("GET", f"{cases.API}/incidents/export/", token=token)
    firsts = [client.stream(port, message, stop_after_first=True).first_byte for _ in range(5)]
    with server.MemoryWatch(pids) as watch:
        whole = client.stream(port, message)
    results.numbers |= {
        "export first byte": statistics.median(firsts) * 1000,
        "export seconds": whole.total,
        "export megabytes": whole.size / 1e6,
        "export growth": watch.growth,
        "export anonymous growth": watch.anonymous_growth,
    }


def _note(
    results: Results, key: str, title: str, measured: Measured, connections: int, queries: int | None = None
) -> None:
    percentiles: Any = [measured.percentile(percent) for percent in (50, 95, 99)]
    results.figures[key] = Figures(title, *percentiles, measured.rate, connections, queries)
