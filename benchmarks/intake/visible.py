"""From a sender's 2xx to the incident in everybody's list."""

import asyncio
import time

import uvloop

from benchmarks.client import Connection, Measured, Refused, request
from benchmarks.intake import loads
from benchmarks.server import Site

PER_SECOND = 100
WAIT_SECONDS = 10.0


def visible(site: Site, seconds: float) -> Measured:
    """A hundred events a second, each with an incident of its own; the list is asked for all the while."""
    source = loads.new_source(site.database)
    token = site.database.inside("intake.steps.token")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_watch(site.port, source["key"], token, int(seconds * PER_SECOND)))


async def _watch(port: int, key: str, token: str, number: int) -> Measured:
    answered: dict[str, float] = {}
    seen: dict[str, float] = {}
    sending = asyncio.gather(*(_send(port, key, lane, number, answered) for lane in range(4)))
    looking = asyncio.create_task(_look(port, token, seen))
    await sending
    deadline = time.perf_counter() + WAIT_SECONDS
    while len(seen) < len(answered) and time.perf_counter() < deadline:
        await asyncio.sleep(0.05)
    looking.cancel()
    missing = answered.keys() - seen.keys()
    if missing:
        raise Refused(f"{len(missing)} of {len(answered)} incidents were not seen within {WAIT_SECONDS} s")
    return Measured(1.0, [max(seen[title] - answered[title], 0.0) * 1000 for title in answered])


async def _send(port: int, key: str, lane: int, number: int, answered: dict[str, float]) -> None:
    connection = Connection(port)
    started = time.perf_counter()
    for at in range(lane, number, 4):
        await asyncio.sleep(max(0.0, started + at / PER_SECOND - time.perf_counter()))
        body = loads.event(f"seen-{at}", 0)
        reply = await connection.ask(request("POST", f"/intake/{key}/", body=body))
        if reply.status != 202:
            raise Refused(f"{reply.status}: {reply.body[:200]!r}")
        answered[body["title"]] = time.perf_counter()
    connection.close()


async def _look(port: int, token: str, seen: dict[str, float]) -> None:
    connection = Connection(port)
    while True:
        reply = await connection.ask(request("GET", "/api/v1/incidents/?page_size=100", token=token))
        now = time.perf_counter()
        for incident in reply.json()["results"]:  # type: ignore[attr-defined]
            if incident["title"].startswith("seen-"):
                seen.setdefault(incident["title"], now)
        await asyncio.sleep(0.02)
