"""Streams of one server process: from commit to seen, memory, and a server that is killed under them."""

import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import server
from benchmarks.databases import Database
from benchmarks.live.streams import Crowd, Stream, allow_many_files

KIND = "live"
OPEN_SECONDS = 5.0
WAIT_SECONDS = 60.0
KILL_AFTER_SECONDS = 2.0


@dataclass(frozen=True)
class Scale:
    """How much is measured: `reports` incidents, one each `each_seconds`."""

    streams: int = 1000
    reports: int = 60
    each_seconds: float = 0.5
    reports_while_killed: int = 30


@dataclass
class LiveResults:
    """What was measured: milliseconds from commit to seen, and the rest as the page's table names it."""

    engine: str
    scale: Scale
    alone: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    unseen: int = 0
    megabytes: float = 0.0
    first_seconds: float = 0.0  # until a new process serves the first
    back_seconds: float = 0.0
    attempts_a_second: int = 0
    missed: int = 0
    repeated: int = 0


def percentile(values: list[float], percent: int) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(-(-percent * len(ordered) // 100) - 1, 0)] if ordered else float("inf")


def measure(engine: str, scale: Scale) -> LiveResults:
    """Measure on a database made anew."""
    allow_many_files()
    database = Database(engine, scale.streams, KIND)
    database.clear()
    database.create()
    keys = database.inside("live.steps.people", scale.streams)
    port = server.free_port()
    command = [sys.executable, "manage.py", "serve", "--processes", "1", "--port", str(port)]
    results = LiveResults(engine, scale)
    try:
        with server.running(command, database.environment, port) as pid:
            site = server.Site(database, port, pid)
            site.warm()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_watch(site, keys, results))
    finally:
        database.clear()
    return results


async def _watch(site: server.Site, keys: list[str], results: LiveResults) -> None:
    scale = results.scale
    head = await _inside(site, "head")
    alone = await _opened(site, keys[:1], head)
    results.alone = await _report(site, alone, max(scale.reports // 3, 1), scale.each_seconds)
    await alone.close()
    head = await _inside(site, "head")
    crowd = await _opened(site, keys, head)
    results.milliseconds = await _report(site, crowd, scale.reports, scale.each_seconds)
    results.unseen = scale.streams * len(await _inside(site, "received_after", head)) - len(results.milliseconds)
    results.megabytes = server.resident(_web_process(site.pid))["all"]
    await _kill(site, crowd, results)
    await crowd.close()


async def _opened(site: server.Site, keys: list[str], head: int) -> Crowd:
    crowd = Crowd([Stream(site.port, key, head) for key in keys])
    crowd.open(over_seconds=OPEN_SECONDS if len(keys) > 1 else 0)
    if await crowd.until(lambda stream: stream.is_open, WAIT_SECONDS) == float("inf"):
        raise RuntimeError(f"only {sum(one.is_open for one in crowd.streams)} of {len(keys)} streams opened")
    return crowd


async def _report(site: server.Site, crowd: Crowd, number: int, each_seconds: float) -> list[float]:
    """Report incidents; return the milliseconds from each event to each stream."""
    before = await _inside(site, "head")
    last = await _inside(site, "report", number, each_seconds)
    await crowd.until(lambda stream: stream.last >= last, WAIT_SECONDS)
    received = {int(place): moment for place, moment in (await _inside(site, "received_after", before)).items()}
    return [
        (one.seen[place] - moment) * 1000
        for one in crowd.streams
        for place, moment in received.items()
        if place in one.seen
    ]


async def _kill(site: server.Site, crowd: Crowd, results: LiveResults) -> None:
    """Kill the server's process while incidents are reported; `serve` starts another."""
    before = await _inside(site, "head")
    scale = results.scale
    reporting = asyncio.create_task(_inside(site, "report", scale.reports_while_killed, scale.each_seconds))
    await asyncio.sleep(KILL_AFTER_SECONDS)
    killed = time.time()
    os.kill(_web_process(site.pid), signal.SIGKILL)
    await crowd.until(lambda stream: not stream.is_open, WAIT_SECONDS)
    while not any(stream.is_open for stream in crowd.streams):
        await asyncio.sleep(0.05)
    results.first_seconds = time.time() - killed
    results.back_seconds = await crowd.until(lambda stream: stream.is_open, WAIT_SECONDS)
    results.attempts_a_second = crowd.most_attempts_in_a_second(killed)
    last = await reporting
    await crowd.until(lambda stream: stream.last >= last, WAIT_SECONDS)
    places = [int(place) for place in await _inside(site, "received_after", before)]
    results.missed = sum(place not in one.seen for one in crowd.streams for place in places)
    results.repeated = sum(one.repeated for one in crowd.streams)


async def _inside(site: server.Site, step: str, *arguments: object) -> Any:
    return await asyncio.get_running_loop().run_in_executor(
        None, site.database.inside, f"live.steps.{step}", *arguments
    )


def _web_process(supervisor: int) -> int:
    found = [
        pid
        for pid in server.web_processes(supervisor)
        if b"core.server.web" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    if len(found) != 1:
        raise RuntimeError(f"expected one web process, found {found}")
    return found[0]
