"""Loki's push API, as JSON and as protobuf packed by snappy.

Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs. A stream has labels and lines; a line
is `[nanoseconds as text, line, structured metadata]`.
"""

import re
from collections.abc import Mapping
from typing import Any

import cramjam
from google.protobuf.message import DecodeError

from core.text.encodings import unmarked
from intake.requests import MAX_BYTES, IntakeError, IntakeRequest, read_json
from integrations.loki.push_pb2 import PushRequest
from logs.levels import level_of, unknown_level
from logs.lines import Line, Parsed, first_named
from logs.reading.records import level_in
from logs.reading.times import moment
from logs.reading.values import from_nanoseconds, text, trace_of
from logs.vocabulary import Level

FORMAT = "loki"
TITLE = "Loki push"
SERVICE = ("service_name", "service", "app", "app_kubernetes_io_name", "container", "job", "unit", "filename")
HOST = ("host", "hostname", "node_name", "node", "instance", "nodename", "pod")
LEVEL = ("level", "detected_level", "severity", "lvl", "loglevel")
TRACE = ("trace_id", "traceID", "traceId", "traceid")
# `{app="web", path="a\"b"}`, as Go prints it.
_LABEL = re.compile(r'\s*([A-Za-z_:][\w:.]*)\s*=\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*,?', re.ASCII)
_ESCAPE = re.compile(r'\\(["\\nrt])')
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


def parse(request: IntakeRequest) -> Parsed:
    """Return a line for each entry of each stream. Raises IntakeError for what is no push."""
    kind, marked = request.media_type, unmarked(request.body)
    if kind == "application/json" or (kind != "application/x-protobuf" and marked.lstrip()[:1] == b"{"):
        return _from_json(marked)
    return _from_protobuf(request.body)


def _from_json(body: bytes) -> Parsed:
    push = read_json(body)
    streams = push.get("streams") if isinstance(push, dict) else None
    if not isinstance(streams, list):
        raise IntakeError("The body is JSON but has no list streams; is this a Loki push?")
    parsed = Parsed()
    for stream in streams:
        labels = stream.get("stream") if isinstance(stream, dict) else None
        values = stream.get("values") if isinstance(stream, dict) else None
        if not isinstance(values, list):
            parsed.reject("A stream has no list values.")
            continue
        for entry in values:
            _add(parsed, entry, labels if isinstance(labels, dict) else {})
    return parsed


def _add(parsed: Parsed, entry: Any, labels: Mapping[str, Any]) -> None:
    if not isinstance(entry, list) or len(entry) < 2 or not isinstance(entry[1], str):
        parsed.reject("A value is no [time, line].")
        return
    metadata = entry[2] if len(entry) > 2 and isinstance(entry[2], dict) else {}
    stamp = entry[0]
    is_number = isinstance(stamp, str) and stamp.isascii() and stamp.isdigit() and len(stamp) <= 20
    at = from_nanoseconds(int(stamp)) if is_number else moment(stamp)
    parsed.lines.append(_line(entry[1], at, {**labels, **metadata}))


def _from_protobuf(body: bytes) -> Parsed:
    try:
        push = PushRequest.FromString(_unpacked(body))
    except DecodeError as error:
        raise IntakeError(f"The body is not a Loki push in protobuf: {error}.") from error
    parsed = Parsed()
    for stream in push.streams:
        labels = labels_of(stream.labels)
        for entry in stream.entries:
            at = from_nanoseconds(entry.timestamp.seconds * 1_000_000_000 + entry.timestamp.nanos)
            metadata = {pair.name: pair.value for pair in entry.metadata}
            parsed.lines.append(_line(entry.line, at, {**labels, **metadata}))
    return parsed


def _unpacked(body: bytes) -> bytes:
    # The block's size stands in front of it, so that nothing large is unpacked.
    try:
        if cramjam.snappy.decompress_raw_len(body) > MAX_BYTES:
            raise IntakeError(f"Unpacked, the body is larger than {MAX_BYTES:,} bytes.", status=413)
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        message = "The body is not packed by snappy, as Loki's protobuf is; or send JSON, with its Content-Type."
        raise IntakeError(message, status=415) from error


def labels_of(text: str) -> dict[str, str]:
    """Parse a stream's labels as protobuf has them, in one text; what is malformed is left out."""
    found = {}
    for match in _LABEL.finditer(text.strip().removeprefix("{").removesuffix("}")):
        value = match[2][1:-1]
        found[match[1]] = value if match[2][0] == "`" else _ESCAPE.sub(lambda one: _ESCAPED[one[1]], value)
    return found


def _line(message: str, at: Any, labels: dict[str, Any]) -> Line:
    said = first_named(labels, LEVEL)[1]
    level = level_of(said) or level_in(message) or Level.INFO
    service, host = text(first_named(labels, SERVICE)[1]), text(first_named(labels, HOST)[1])
    return Line(message, at, level, service, host, labels, trace_of(first_named(labels, TRACE)[1]), unknown_level(said))
