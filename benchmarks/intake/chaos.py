"""Everything is killed under load, each time three seconds after it serves again; then every answered event must be
there, once."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks import server
from benchmarks.client import HOST, request
from benchmarks.databases import ROOT, Database
from benchmarks.intake import loads
from benchmarks.own_server import own_server

KILL_EVERY = 3.0
KEYS = 400


@dataclass
class Chaos:
    """What came of it: `answered` events got a 2xx, `unknown` ones no answer at all."""

    answered: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    wrong: list[str] = field(default_factory=list)


def chaos(engine: str, seconds: float) -> Chaos:
    """Load for so long, kill -9 of server and worker every few seconds, the database restarted once half way."""
    with own_server(engine, "chaos") as (own, restart_database):
        own.clear()
        own.create()
        source = loads.new_source(own)
        result = Chaos()
        asyncio.run(_storm(own, source["key"], seconds, result, restart_database))
        _process_queue(own)
        _judge(own, str(source["id"]), result)
    return result


async def _storm(database: Database, key: str, seconds: float, result: Chaos, restart_database: object) -> None:
    port = server.free_port()
    stop = time.monotonic() + seconds
    process = _start(database, port)
    senders = [asyncio.create_task(_send(port, key, lane, stop, result)) for lane in range(server.CONNECTIONS)]
    is_restarted = False
    try:
        while time.monotonic() < stop:
            await _until_served(port, stop)
            await asyncio.sleep(KILL_EVERY)
            _kill(process)
            result.kills += 1
            if not is_restarted and time.monotonic() > stop - seconds / 2 and callable(restart_database):
                await asyncio.to_thread(restart_database)
                is_restarted = True
            process = _start(database, port)
        await asyncio.gather(*senders)
    finally:
        _kill(process)


async def _until_served(port: int, stop: float) -> None:
    while time.monotonic() < stop:
        try:
            _reader, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def _start(database: Database, port: int) -> "subprocess.Popen[bytes]":
    command, quiet = server.serve(port, with_worker=True), subprocess.DEVNULL
    return subprocess.Popen(
        command, cwd=ROOT, env=database.environment, stdout=quiet, stderr=quiet, start_new_session=True
    )


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """The supervisor, its web processes and its worker, all at once, without a word."""
    for pid in [*server.web_processes(process.pid), process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


async def _send(port: int, key: str, lane: int, stop: float, result: Chaos) -> None:
    numbers = random.Random(lane)
    while time.monotonic() < stop:
        name = f"chaos {numbers.randrange(KEYS)}"
        try:
            status = await _post(port, key, name)
        except OSError:  # not connected: it was never sent
            await asyncio.sleep(0.05)
        except (asyncio.IncompleteReadError, TimeoutError):
            result.unknown[name] += 1
        else:
            if status // 100 == 2:
                result.answered[name] += 1
            elif status < 500:
                result.wrong.append(f"answered {status}")


async def _post(port: int, key: str, name: str) -> int:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(request("POST", f"/intake/{key}/", body={**loads.event(name, 0), "title": name}))
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)
        except ConnectionError as error:
            raise asyncio.IncompleteReadError(b"", None) from error
        return int(head.split(b" ")[1])
    finally:
        writer.close()


def _process_queue(database: Database) -> None:
    with server.ours(database, with_worker=True):
        loads.drain(database)


def _judge(database: Database, source_id: str, result: Chaos) -> None:
    if not result.answered:
        result.wrong.append("nothing was answered, so nothing was shown")
    stored: dict[str, int] = database.inside("intake.steps.occurrences", source_id)
    for name, answered in result.answered.items():
        at_most = answered + result.unknown[name]
        if not answered <= stored.get(name, 0) <= at_most:
            result.wrong.append(f"{name}: {stored.get(name, 0)} occurrences of {answered} to {at_most}")
    chains = database.inside("intake.steps.chains", source_id)
    if chains["faults"] or chains["doubled"]:
        result.wrong.append(f"incidents: {chains}")
    waiting = database.inside("intake.steps.counts", source_id)["events"]
    if set(waiting) - {"done"}:
        result.wrong.append(f"events: {waiting}")
