"""Store lines in bulk."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection

from intake.models import Source
from logs.lines import Line
from logs.models import LogEntry
from logs.normalising import attributes_json, normalised
from logs.services.levels import as_taught

COLUMNS = (*("timestamp", "level", "service", "host", "message", "attributes", "trace_id", "source_id", "received_at"),)


@dataclass(frozen=True, slots=True)
class NormalisedLines:
    """Lines, and rows without the time of receipt."""

    lines: list[Line]
    rows: list[tuple[Any, ...]]


def normalise(lines: Iterable[Line], source: Source | None, now: dt.datetime) -> NormalisedLines:
    """Normalise lines outside any transaction."""
    ready = [normalised(as_taught(line, source), now) for line in lines]
    source_id = source.pk if source else None
    return NormalisedLines(ready, [_row(line, source_id, now) for line in ready])


def insert(many: Iterable[NormalisedLines], now: dt.datetime) -> None:
    """Store lines in the caller's transaction."""
    received_at = _moment(now)
    rows = [(row[0] or received_at, *row[1:], received_at) for one in many for row in one.rows]
    if rows:
        with connection.cursor() as cursor:
            # SQLite loops over a prepared statement; MySQL's drivers join it.
            cursor.executemany(_statement(), rows)


def store(lines: Iterable[Line], source: Source | None, now: dt.datetime) -> list[Line]:
    """Normalise and store lines in the caller's transaction; return them."""
    ready = normalise(lines, source, now)
    insert([ready], now)
    return ready.lines


@cache
def _statement() -> str:
    quote = connection.ops.quote_name
    columns, marks = ", ".join(map(quote, COLUMNS)), ", ".join(["%s"] * len(COLUMNS))
    return f"INSERT INTO {quote(LogEntry._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608


def _row(line: Line, source_id: int | None, now: dt.datetime) -> tuple[Any, ...]:
    return (
        _moment(line.timestamp) if line.timestamp and line.timestamp is not now else None,
        int(line.level),
        line.service,
        line.host,
        line.message,
        attributes_json(line.attributes),
        line.trace_id,
        source_id,
    )


def _moment(moment: dt.datetime) -> str:
    return str(moment.replace(tzinfo=None))
