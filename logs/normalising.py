"""Bound a line's text and time for every database. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from core.text.encodings import BYTE_ORDER_MARK
from logs.lines import Line

MESSAGE_LENGTH = 32 * 1024
ATTRIBUTES_LENGTH = 32 * 1024
NAME_LENGTH = 100
HOST_LENGTH = 200
TRACE_LENGTH = 32
# Wrong by a time zone is shown as sent; further ahead would lead every list until then.
AHEAD = dt.timedelta(days=1)
_EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DROPPED = "attributes_dropped"
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


def normalised(line: Line, now: dt.datetime) -> Line:
    """Return the stored line; `now`, when received, replaces implausible times."""
    message = cut(plain(line.message).removeprefix(BYTE_ORDER_MARK))
    service, host, trace_id = plain(line.service), plain(line.host), plain(line.trace_id)
    changes: dict[str, Any] = {}
    if message is not line.message:
        changes["message"] = message
    for name, said, length in (
        ("service", service, NAME_LENGTH),
        ("host", host, HOST_LENGTH),
        ("trace_id", trace_id, TRACE_LENGTH),
    ):
        if len(said) > length or said is not getattr(line, name):
            changes[name] = said[:length]
    if line.timestamp is None:
        changes["timestamp"] = now
    elif not _EARLIEST < line.timestamp < now + AHEAD:
        changes["timestamp"] = now
        changes["attributes"] = {**line.attributes, "sent_timestamp": line.timestamp.isoformat()}
    return replace(line, **changes) if changes else line


def cut(text: str, length: int = MESSAGE_LENGTH) -> str:
    """Return the text, cut with a mark."""
    return text if len(text) <= length else f"{text[:length]}… [cut: it has {len(text):,} characters]"


def plain(text: str) -> str:
    """Return the text without NUL and lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def attributes_json(attributes: Mapping[str, Any]) -> str:
    """Return bounded JSON, counting what is left out."""
    if not attributes:
        return "{}"
    body = dumped(attributes)
    if len(body) > ATTRIBUTES_LENGTH:
        body = dumped(_some(attributes))
    return body.decode()


def dumped(value: Any) -> bytes:
    """Return any value as JSON, or as text."""
    try:
        return orjson.dumps(value, default=str, option=_OPTIONS)
    except TypeError:
        # lone surrogates, big integers, or deep nesting
        return orjson.dumps(_bounded(value, 20))


def _some(attributes: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    room = ATTRIBUTES_LENGTH - len(_DROPPED) - 20
    for name, value in attributes.items():
        size = len(dumped({str(name): value}))
        if size <= room:
            kept[str(name)] = value
            room -= size
    return {**kept, _DROPPED: len(attributes) - len(kept)}


def _bounded(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return plain(value)
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {plain(str(name)): _bounded(part, depth - 1) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_bounded(part, depth - 1) for part in value]
    return plain(str(value))
