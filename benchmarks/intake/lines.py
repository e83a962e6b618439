"""Log lines in batches, beside a bare INSERT of the same rows; and what a thousand rules add."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import orjson

from benchmarks.client import load
from benchmarks.intake import loads
from benchmarks.intake.databases import IntakeDatabase

BATCH = 500
RULES = 1000
BODIES = 40
INTERVAL = 60.0  # seconds between two looks of a rule


def rates(port: int, database: IntakeDatabase, seconds: float) -> dict[str, float]:
    """Lines a second: by a bare INSERT, over the API, and over the API with a thousand rules enabled.

    The rules are looked at for as long as it takes each of them to run, once a minute.
    """
    key = loads.new_source(database, "logs")["key"]
    found = {"lines bare": _bare(database, seconds), "lines": _over_api(port, key, seconds)}
    database.inside("rules", str(RULES))
    try:
        found["lines with rules"] = _over_api(port, key, INTERVAL if seconds > 5 else seconds * 5)
    finally:
        database.inside("rules", "0")
    return found


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


def _over_api(port: int, key: str, seconds: float) -> float:
    requests = [_request(key, orjson.dumps(lines(number))) for number in range(BODIES)]
    return load(port, itertools.cycle(requests), connections=loads.CONNECTIONS, seconds=seconds).rate * BATCH


def _request(key: str, body: bytes) -> bytes:
    head = f"POST /api/v1/logs/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _bare(database: IntakeDatabase, seconds: float) -> float:
    return float(json.loads(database.inside("bare_lines", str(seconds))))


def rows(number: int, now: str) -> Iterator[tuple[Any, ...]]:
    """The same batch as rows of the table, without the id."""
    for line in lines(number):
        level = 4 if line["level"] == "warning" else 3
        attributes = json.dumps(line["attributes"])
        yield now, level, line["service"], line["host"], line["message"], attributes, "", None, now
