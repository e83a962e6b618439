"""Measure paging: each figure on a database made anew, with sinks that take what is sent."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from benchmarks import server
from benchmarks.client import Connection, Measured, Refused, request
from benchmarks.databases import ROOT, Database
from benchmarks.paging import sinks, workers
from benchmarks.paging.sinks import Sink

PER_SECOND = 50  # incidents
LOOPBACK = {"OUTBOUND_ALLOW": "127.0.0.0/8"}


@dataclass(frozen=True)
class Scale:
    """How much is done."""

    seconds: float  # of a load
    steps: int = 6000
    idle: int = 10_000
    storm: int = 5000
    sent: int = 3000
    schedules: int = 500


@dataclass
class PagingResults:
    """What was found."""

    engine: str
    scale: Scale
    latency: Measured = field(default_factory=lambda: Measured(1.0))
    steps_seconds: float = 0.0
    idle: dict[str, float] = field(default_factory=dict)
    resumed: dict[str, float] = field(default_factory=dict)
    rates: dict[tuple[str, int], float] = field(default_factory=dict)  # by sink and workers
    limits: dict[str, float] = field(default_factory=dict)  # of the sinks
    beside: dict[str, float] = field(default_factory=dict)  # p99 with the other provider well, and hanging
    storm: dict[str, Any] = field(default_factory=dict)
    on_call: dict[str, float] = field(default_factory=dict)


def measure(engine: str, scale: Scale) -> PagingResults:
    """Return everything that is measured on one database."""
    results = PagingResults(engine, scale)
    database = Database(engine, 0, "paging")
    for name, step in STEPS.items():
        print(f"{name}, {engine} …", file=sys.stderr, flush=True)
        database.clear()
        database.create()
        step(database, scale, results)
    database.clear()
    return results


def _environment(sink: Sink) -> dict[str, str]:
    return {"EMAIL_URL": sink.url, **LOOPBACK}


def measure_latency(database: Database, scale: Scale, results: PagingResults) -> None:
    """Report incidents over REST at a steady pace, to `serve` with its embedded worker."""
    number = int(scale.seconds * PER_SECOND)
    teams = database.inside("paging.world.people", number + 2 * PER_SECOND)
    token = database.inside("paging.world.token")
    with sinks.running("smtp") as sink, _settings(database, sink), server.ours(database, with_worker=True) as site:
        _report(site.port, token, teams, number)
        _until(database, lambda found: found["sent"] >= number)
    results.latency = Measured(1.0, database.inside("paging.steps.first_attempts"))
    if len(results.latency.milliseconds) != number:
        raise RuntimeError(f"{len(results.latency.milliseconds)} of {number} incidents were paged for")


def _report(port: int, token: str, teams: list[int], number: int, *, per_second: int = PER_SECOND) -> None:
    async def lane(first: int, lanes: int, started: float) -> None:
        connection = Connection(port)
        for at in range(first, number, lanes):
            await asyncio.sleep(max(0.0, started + at / per_second - time.perf_counter()))
            body = {"title": f"page {at}", "severity": "critical", "team": teams[at % len(teams)]}
            reply = await connection.ask(request("POST", "/api/v1/incidents/", token=token, body=body))
            if reply.status != 201:
                raise Refused(f"{reply.status}: {reply.body[:200]!r}")
        connection.close()

    async def all_lanes() -> None:
        started = time.perf_counter()
        await asyncio.gather(*(lane(first, 4, started) for first in range(4)))

    asyncio.run(all_lanes())


def measure_steps(database: Database, scale: Scale, results: PagingResults) -> None:
    """Have all steps be due at once, of teams whose schedules have five layers; nothing is sent."""
    teams = database.inside("paging.world.on_schedules", 20)
    database.inside("paging.world.open_incidents", 0, scale.steps, *teams)
    database.inside("paging.steps.start_runs")
    with workers.several(database, 1, "general"):
        begun = database.inside("paging.steps.make_due", "steps")
        _until(database, lambda found: found["deliveries"] >= scale.steps and not found["runs_due"])
        results.steps_seconds = time.time() - begun


def measure_idle(database: Database, scale: Scale, results: PagingResults) -> None:
    """Count the worker's statements while nothing is due."""
    teams = database.inside("paging.world.on_schedules", 20)
    database.inside("paging.world.open_incidents", 0, scale.idle, *teams)
    runs = database.inside("paging.steps.start_runs")
    if runs != scale.idle:
        raise RuntimeError(f"{runs} escalations run")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.inside", "paging.steps.idle", str(scale.seconds)],
        cwd=ROOT,
        env=database.environment,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    results.idle = json.loads(done.stdout)


def measure_resuming(database: Database, scale: Scale, results: PagingResults) -> None:
    """Kill two of four workers amid deliveries."""
    _fill(database, "email", scale.sent)
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(sinks.running("smtp"))
        settings = stack.enter_context(_settings(database, sink))
        running = stack.enter_context(workers.several(database, 4, **settings))
        database.inside("paging.steps.make_due", "deliveries")
        while sink.count() < scale.sent // 10:
            time.sleep(0.01)
        killed_at = time.time()
        for worker in running[:2]:
            worker.kill()
        _until(database, lambda found: not found["pending"])
    results.resumed = database.inside("paging.steps.resumed", killed_at)


def measure_rates(database: Database, scale: Scale, results: PagingResults) -> None:
    """Send what is due with one worker and with four, to a mail server and to a web server."""
    for kind in ("smtp", "http"):
        results.limits[kind] = _limit(kind, scale)
        for number in (1, 4):
            database.clear()
            database.create()
            with sinks.running(kind) as sink, _settings(database, sink) as settings:
                _fill(database, "email" if kind == "smtp" else "webhook", scale.sent, sink.port)
                with workers.several(database, number, "deliver", **settings):
                    begun = database.inside("paging.steps.make_due", "deliveries")
                    while sink.count() < scale.sent and time.time() - begun < 120:
                        time.sleep(0.02)
                    results.rates[kind, number] = _pace(sink)


def _limit(kind: str, scale: Scale) -> float:
    """Return what the sink takes a second from four processes that do nothing but send, over 32 connections."""
    with sinks.running(kind) as sink:
        command = [sys.executable, "-m", "benchmarks.paging.senders", kind, str(sink.port), str(scale.sent // 4)]
        sending = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
        for process in sending:
            process.wait()
        return _pace(sink)


def _pace(sink: Sink) -> float:
    """Return the messages a second while they came, without the first and the last tenth."""
    moments = [arrival.at for arrival in sink.arrivals()]
    tenth = len(moments) // 10
    return (len(moments) - 2 * tenth) / (moments[-tenth - 1] - moments[tenth])


def measure_beside(database: Database, scale: Scale, results: PagingResults) -> None:
    """Compare mails' latency while webhooks are taken, and while they hang."""
    found: dict[str, list[float]] = {"well": [], "hanging": []}
    for name in ("well", "hanging", "hanging", "well"):
        database.clear()
        database.create()
        found[name].append(_beside(database, scale, 100 if name == "hanging" else 0))
    results.beside = {name: sum(values) / len(values) for name, values in found.items()}


def _beside(database: Database, scale: Scale, hanging: int) -> float:
    """Return the 99th percentile of mails' first attempts beside 200 webhooks to a sink, of which so many hang."""
    number = int(scale.seconds * 30)
    with contextlib.ExitStack() as stack:
        mail = stack.enter_context(sinks.running("smtp"))
        hooks = stack.enter_context(sinks.running("http", hanging=hanging))
        settings = stack.enter_context(_settings(database, mail))
        mailed = database.inside("paging.world.people", number, "email")
        posted = database.inside("paging.world.people", 200, "webhook", hooks.port, "hook")
        token = database.inside("paging.world.token")
        site = stack.enter_context(server.ours(database))
        stack.enter_context(workers.several(database, 1, **settings))
        database.inside("paging.world.open_incidents", 10**6, 200, *posted)
        time.sleep(2)
        _report(site.port, token, mailed, number, per_second=30)
        _until(database, lambda found: found["mailed"] >= number)
        return Measured(1.0, database.inside("paging.steps.first_attempts")).percentile(99)


def measure_storm(database: Database, scale: Scale, results: PagingResults) -> None:
    """Open thousands of incidents that page one person."""
    teams = database.inside("paging.world.people", 1)
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(sinks.running("smtp"))
        settings = stack.enter_context(_settings(database, sink))
        stack.enter_context(workers.several(database, 1, **settings))
        database.inside("paging.world.open_incidents", 0, scale.storm, *teams)
        _until(
            database,
            lambda found: found["deliveries"] >= scale.storm and not found["pending"],
            seconds=400,
        )
        results.storm = {**database.inside("paging.steps.bundles"), "mails": sink.count()}


def measure_on_call(database: Database, scale: Scale, results: PagingResults) -> None:
    """Ask who is on call, of each schedule alone and of all."""
    database.inside("paging.world.schedules", scale.schedules)
    results.on_call = database.inside("paging.steps.who_is_on_call")


STEPS = {
    "on call": measure_on_call,
    "first attempts": measure_latency,
    "steps due at once": measure_steps,
    "idle escalations": measure_idle,
    "killed workers": measure_resuming,
    "deliveries a second": measure_rates,
    "a hanging provider": measure_beside,
    "one person": measure_storm,
}


def _fill(database: Database, kind: str, number: int, port: int = 0) -> None:
    """Have so many deliveries wait, each to somebody else."""
    teams = database.inside("paging.world.people", number, kind, port)
    database.inside("paging.world.open_incidents", 0, number, *teams)
    database.inside("paging.steps.start_runs")
    database.inside("paging.steps.make_due", "steps")
    database.inside("paging.steps.perform_all")


@contextlib.contextmanager
def _settings(database: Database, sink: Sink) -> Iterator[dict[str, str]]:
    """Have what is started meanwhile send to the sink."""
    settings = _environment(sink)
    with mock.patch.dict(os.environ, settings):
        yield settings


def _until(database: Database, is_done: Any, *, seconds: float = 180.0) -> None:
    """Wait until everything is as far as that."""
    watching = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.paging.watching"],
        cwd=ROOT,
        env=database.environment,
        text=True,
        stdout=subprocess.PIPE,
    )
    deadline = time.monotonic() + seconds
    found: dict[str, int] = {}
    try:
        for line in watching.stdout or ():
            found = json.loads(line)
            if is_done(found):
                return
            if time.monotonic() > deadline:
                break
    finally:
        watching.kill()
        watching.wait()
    raise RuntimeError(f"not done within {seconds:.0f} seconds: {found}")
