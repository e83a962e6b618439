"""Splunk's HTTP Event Collector: events as JSON objects one after the other, and raw lines.

Source: https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector. Objects follow one
another without a separator, often without a Content-Type; `time` is in seconds since 1970 with decimals.
"""

import json
from collections.abc import Iterator
from typing import Any

from core.text.encodings import unmarked
from intake.requests import IntakeError, IntakeRequest, read_json
from logs.levels import level_of, unknown_level
from logs.lines import Line, Parsed, first_named
from logs.reading.records import level_in, line_of
from logs.reading.times import moment
from logs.reading.values import name, text, trace_of
from logs.vocabulary import Level

FORMAT = "hec"
TITLE = "Splunk HTTP Event Collector"
MAX_EVENTS = 100_000
LEVEL = ("level", "severity", "loglevel", "log_level", "levelname")
TRACE = ("trace_id", "traceId", "traceID")
NO_DATA, INVALID, EVENT_MISSING, EVENT_BLANK = 5, 6, 12, 13
_SPACE = " \t\r\n,\ufeff"


class HecError(IntakeError):
    """A refusal with Splunk's own number for it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def parse(request: IntakeRequest) -> Parsed:
    """Return a line for each event, or for each line of a body posted to `raw`. Raises HecError."""
    if not request.body.strip():
        raise HecError("No data", NO_DATA)
    if "/raw" in request.path:
        return _raw(request)
    parsed = Parsed()
    for number, event in enumerate(_objects(request.body, parsed)):
        _add(parsed, event, number)
    return parsed


def _objects(body: bytes, parsed: Parsed) -> Iterator[Any]:
    try:
        # One object, which is much the quickest to read; or, though Splunk has it not, a list.
        first = read_json(unmarked(body))
    except IntakeError as error:
        if error.status == 413:
            raise
        yield from _each(body, parsed)
        return
    yield from first if isinstance(first, list) else [first]


def _each(body: bytes, parsed: Parsed) -> Iterator[Any]:
    source = unmarked(body).decode("utf-8", "replace")
    decoder, position, count = json.JSONDecoder(parse_constant=lambda _word: None), 0, 0
    while True:
        while position < len(source) and source[position] in _SPACE:
            position += 1
        if position >= len(source):
            return
        try:
            value, position = decoder.raw_decode(source, position)
        except (ValueError, RecursionError) as error:
            parsed.reject(f"Event {count} is not valid JSON: {error}.")
            return
        count += 1
        if count > MAX_EVENTS:
            parsed.reject(f"There are more than {MAX_EVENTS:,} events.")
            return
        yield value


def _add(parsed: Parsed, event: Any, number: int) -> None:
    if not isinstance(event, dict):
        parsed.reject(f"Event {number} is not an object.")
        return
    said = event.get("event")
    if said is None:
        parsed.reject(f"Event {number} has no event.")
    elif said == "":
        parsed.reject(f"Event {number} is blank.")
    else:
        parsed.lines.append(_line(event, said))


def _line(event: dict[str, Any], said: Any) -> Line:
    fields = event.get("fields")
    attributes: dict[str, Any] = {key: event[key] for key in ("source", "sourcetype", "index") if event.get(key)}
    attributes.update(fields if isinstance(fields, dict) else {})
    inner = line_of(said) if isinstance(said, dict) else None
    if inner is not None:
        attributes = {**inner.attributes, **attributes}
    message = inner.message if inner else text(said)
    said_level = first_named(attributes, LEVEL)[1]
    level = level_of(said_level) or (inner.level if inner else level_in(message))
    return Line(
        message,
        moment(event.get("time")) or (inner.timestamp if inner else None),
        level or Level.INFO,
        (inner.service if inner else "") or _service(attributes),
        name(event.get("host")) or (inner.host if inner else ""),
        attributes,
        (inner.trace_id if inner else "") or trace_of(first_named(attributes, TRACE)[1]),
        unknown_level(said_level),
    )


def _raw(request: IntakeRequest) -> Parsed:
    names = ("source", "sourcetype", "index")
    attributes = {key: value for key in names if (value := request.parameter(key))}
    at, host = moment(request.parameter("time")), request.parameter("host")
    lines = unmarked(request.body).decode("utf-8", "replace").splitlines()
    service = _service(attributes)
    return Parsed(
        [
            Line(line, at, level_in(line) or Level.INFO, service, host, attributes)
            for line in lines[:MAX_EVENTS]
            if line.strip()
        ]
    )


def _service(attributes: dict[str, Any]) -> str:
    return text(first_named(attributes, ("service", "service.name", "app", "tag", "source", "sourcetype"))[1])
