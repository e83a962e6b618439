"""Graylog's extended log format over HTTP: one JSON object, or one on each line.

Source: https://go2docs.graylog.org/current/getting_in_log_data/gelf.html. `level` is a syslog severity (the default, 1,
is what nobody means: then the text's word counts); the sender's own fields begin with `_`.
"""

import codecs
from typing import Any

import orjson

from core.text.encodings import unmarked
from intake.requests import IntakeError, IntakeRequest, read_json
from logs.levels import level_of, unknown_level
from logs.lines import Line, Parsed, first_named
from logs.reading.records import level_in
from logs.reading.times import moment
from logs.reading.values import name, text, trace_of
from logs.vocabulary import Level

FORMAT = "gelf"
TITLE = "GELF"
SERVICE = (
    "service",
    "service.name",
    "service_name",
    "app",
    "application",
    "application_name",
    "facility",
    "container_name",
)
TRACE = ("trace_id", "traceId", "traceID", "trace.id")
_OF_ITS_OWN = frozenset({"version", "host", "short_message", "full_message", "timestamp", "level"})


def parse(request: IntakeRequest) -> Parsed:
    """Return a line for each message. Raises IntakeError for what is none at all."""
    # Over TCP, messages end with NUL, and some clients keep the habit.
    body = unmarked(request.body).strip(b"\0 \t\r\n")
    if not body:
        raise IntakeError("The body is empty; post a GELF message.")
    parsed = Parsed()
    try:
        messages = [read_json(body)]
    except IntakeError as error:
        if b"\n" not in body or error.status == 413:
            raise
        messages = _each_line(body, parsed)
    for message in messages[0] if len(messages) == 1 and isinstance(messages[0], list) else messages:
        _add(parsed, message)
    return parsed


def _each_line(body: bytes, parsed: Parsed) -> list[Any]:
    messages = []
    for number, piece in enumerate(body.splitlines(), 1):
        if not piece.strip():
            continue
        try:
            messages.append(orjson.loads(piece.strip(b"\0 \t\r\n").removeprefix(codecs.BOM_UTF8)))
        except orjson.JSONDecodeError as error:
            parsed.reject(f"Line {number} is not valid JSON: {error}.")
    return messages


def _add(parsed: Parsed, message: Any) -> None:
    if not isinstance(message, dict):
        parsed.reject("A message is not an object.")
        return
    short, full = text(message.get("short_message")), text(message.get("full_message"))
    if not short.strip() and not full.strip():
        parsed.reject("A message has no short_message.")
        return
    # `_level_name` and the like are what the sender adds; without `_` they are what old versions of the format had.
    fields = {key.removeprefix("_"): value for key, value in message.items() if key not in _OF_ITS_OWN}
    said = full if full.startswith(short) else f"{short}\n{full}"
    parsed.lines.append(
        Line(
            said if full else short,
            moment(message.get("timestamp")),
            level_of(message.get("level")) or level_in(short) or Level.INFO,
            name(first_named(fields, SERVICE)[1]),
            name(message.get("host")),
            fields,
            trace_of(first_named(fields, TRACE)[1]),
            unknown_level(message.get("level")),
        )
    )
