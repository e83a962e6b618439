"""Log lines in batches, beside a bare INSERT of the same rows; and what a thousand rules add."""

import itertools
import json
from collections.abc import Iterator
from functools import partial
from statistics import median
from typing import Any

import orjson

from benchmarks.intake import loads
from benchmarks.server import Site
from benchmarks.turns import take_turns

BATCH = 500
RULES = 1000
BODIES = 40
TURNS = 4
INTERVAL = 60.0  # seconds between two looks of a rule


def rates(site: Site, seconds: float) -> dict[str, float]:
    """Return lines a second: by a `bare` INSERT, over the `api`, and over it `with rules`, a thousand of them."""
    database, key = site.database, loads.new_source(site.database, "logs")["key"]
    bodies = [_request(key, orjson.dumps(lines(number))) for number in range(BODIES)]

    def over_api(seconds: float) -> float:
        return site.load(itertools.cycle(bodies), seconds=seconds).rate * BATCH

    def with_rules() -> float:
        database.inside("intake.steps.rules", RULES)
        try:
            # For as long as it takes each of them to run, in both turns together.
            return over_api(INTERVAL / 2 if seconds > 5 else seconds * 2)
        finally:
            database.inside("intake.steps.rules", 0)

    def bare() -> float:
        return float(database.inside("intake.steps.bare_lines", seconds / TURNS))

    beside_bare = take_turns({"bare": bare, "api": partial(over_api, seconds / TURNS)}, TURNS)
    ruled: dict[str, list[float]] = take_turns({"without": partial(over_api, seconds / 2), "with": with_rules}, 2)
    found = {"bare": median(beside_bare["bare"]), "api": median(beside_bare["api"])}
    return found | {"with rules": found["api"] * median(ruled["with"]) / median(ruled["without"])}


def lines(number: int) -> list[dict[str, Any]]:
    """A batch: what a web application writes, at the time of its receipt, so that rules look at it."""
    return [
        {
            "level": "warning" if at % 20 == 0 else "info",
            "service": f"service-{at % 10}",
            "host": f"host-{at % 25}",
            "message": f"GET /orders/{number * BATCH + at} answered 200 in {at % 97} ms",
            "attributes": {"method": "GET", "status": 200},
        }
        for at in range(BATCH)
    ]


def _request(key: str, body: bytes) -> bytes:
    head = f"POST /api/v1/logs/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def rows(number: int, now: str) -> Iterator[tuple[Any, ...]]:
    """The same batch as rows of the table, without the id."""
    for line in lines(number):
        level = 4 if line["level"] == "warning" else 3
        attributes = json.dumps(line["attributes"])
        yield now, level, line["service"], line["host"], line["message"], attributes, "", None, now
