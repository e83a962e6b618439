import datetime as dt
from dataclasses import replace

import orjson

from logs.lines import Line
from logs.reading.records import level_in, line_of
from logs.tailing.times import time_in
from logs.vocabulary import Level


def line_from(record: str, *, service: str, host: str, now: dt.datetime, zone: dt.tzinfo = dt.UTC) -> Line:
    """Return a record's line; JSON's own service and host win."""
    if record.startswith("{") and (line := _from_json(record)) is not None:
        return replace(line, service=line.service or service, host=line.host or host, timestamp=line.timestamp or now)
    return Line(record, time_in(record, now, zone) or now, level_in(record) or Level.INFO, service, host)


def _from_json(record: str) -> Line | None:
    try:
        value = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None
    return line_of(value) if isinstance(value, dict) else None
