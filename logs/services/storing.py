"""Storing lines: many in few statements, for they come by the thousand."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection

from alerts.models import Source
from logs.fitting import attributes_json, fitted
from logs.lines import Line
from logs.models import LogEntry

COLUMNS = (*("timestamp", "level", "service", "host", "message", "attributes", "trace_id", "source_id", "received_at"),)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Lines as they will be stored, and as rows."""

    lines: list[Line]
    rows: list[tuple[Any, ...]]


def fit(lines: Iterable[Line], source: Source | None, now: dt.datetime) -> Fitted:
    """Make lines ready (see `logs.fitting`), which no transaction need wait for; `now` is when they were received."""
    ready = [fitted(line, now) for line in lines]
    source_id, received_at = source.pk if source else None, _moment(now)
    return Fitted(ready, [_row(line, source_id, received_at) for line in ready])


def insert(many: Iterable[Fitted]) -> None:
    """Store lines in the caller's transaction."""
    rows = [row for one in many for row in one.rows]
    if rows:
        with connection.cursor() as cursor:
            # SQLite loops over a prepared statement; MySQL's drivers make long statements of it, as the server takes.
            cursor.executemany(_statement(), rows)


def store(lines: Iterable[Line], source: Source | None, now: dt.datetime) -> list[Line]:
    """Make lines ready and store them in the caller's transaction; what was stored, in its order."""
    ready = fit(lines, source, now)
    insert([ready])
    return ready.lines


@cache
def _statement() -> str:
    quote = connection.ops.quote_name
    columns, marks = ", ".join(map(quote, COLUMNS)), ", ".join(["%s"] * len(COLUMNS))
    return f"INSERT INTO {quote(LogEntry._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608


def _row(line: Line, source_id: int | None, received_at: str) -> tuple[Any, ...]:
    return (
        _moment(line.timestamp) if line.timestamp else received_at,
        int(line.level),
        line.service,
        line.host,
        line.message,
        attributes_json(line.attributes),
        line.trace_id,
        source_id,
        received_at,
    )


def _moment(moment: dt.datetime) -> str:
    """A time in UTC as both databases take it, and as Django writes it there."""
    return str(moment.replace(tzinfo=None))
