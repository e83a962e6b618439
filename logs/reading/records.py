"""JSON log records: the same fields under a dozen names, nested or not."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from logs.levels import (
    google_level,
    guess_level,
    level_from_zero,
    level_of,
    python_level,
    severity_number_level,
    syslog_level,
    unknown_level,
    windows_level,
)
from logs.lines import Line
from logs.reading.names import LEADS, NAMES
from logs.reading.times import moment
from logs.reading.values import name, text, trace_of
from logs.vocabulary import Level

_WHOLE = frozenset({"message", "msg", "@m", "@message", "log", "shortmessage", "text", "line", "textpayload", "event"})
_PLACE = re.compile(r"\{[@$]?([\w.]+)(?:,-?\d+)?(?::[^{}]*)?\}")
_W3C = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_XRAY = re.compile(r"(?:Root=)?1-([0-9a-f]{8})-([0-9a-f]{24})\b", re.ASCII)
_JOURNAL = ("realtimetimestamp", "systemdunit", "bootid", "machineid", "transport", "syslogidentifier", "cursor")
MAX_INNER = 64 * 1024


@dataclass(frozen=True)
class Shape:
    """A record's keys by plain name, and the paths to try for each field."""

    keys: Mapping[str, str]
    asked: Mapping[str, tuple[str, ...]]


def shape_of(record: Mapping[str, Any]) -> Shape:
    """Return a record's shape, cached if small."""
    names = tuple(record)
    return _known_shape(names) if len(names) <= 50 and sum(map(len, names)) <= 2000 else _shape(names)


def _shape(names: tuple[str, ...]) -> Shape:
    keys: dict[str, str] = {}
    for key in names:
        keys.setdefault(plain(key), key)
    found: dict[str, list[tuple[int, str]]] = {what: [] for what in NAMES}
    for key in keys:
        for what, rank, path in LEADS.get(key, ()):
            found[what].append((rank, path))
    return Shape(keys, {what: tuple(path for _rank, path in sorted(some)) for what, some in found.items()})


_known_shape = lru_cache(maxsize=1024)(_shape)


def plain(key: str) -> str:
    """Return a name without case and separators."""
    return re.sub(r"[\s_.\-/]", "", key).lower() if len(key) <= 100 else key


class Record:
    """A record and its fields by plain name."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.said = record
        self.rest = dict(record)
        shape = shape_of(record)
        self.keys, self.asked = shape.keys, shape.asked

    def find(self, path: str) -> Any:
        """Return what stands at a path."""
        first, _slash, inner = path.partition("/")
        value = self.said.get(self.keys.get(first, ""))
        if inner:
            return Record(value).find(inner) if isinstance(value, dict) and value else None
        return None if value == "" else value

    def drop(self, path: str) -> None:
        """Remove a top-level field from the rest."""
        self.rest.pop(self.keys.get(path, ""), None)

    def first(self, names: Iterable[str], reading: Callable[[Any], Any]) -> Any:
        """Return and remove the first field that `reading` accepts."""
        for one in names:
            value = self.find(one)
            if value is not None and (found := reading(value)):
                self.drop(one)
                return found
        return None


def line_of(record: Mapping[str, Any], *, is_within: bool = False) -> Line | None:
    """Return a record's line, the rest as attributes; None for an empty record."""
    if not record:
        return None
    fields = Record(record)
    asked = fields.asked
    level, unknown = _level(fields, asked)
    timestamp = fields.first(asked["time"], moment)
    service, host = fields.first(asked["service"], name) or "", fields.first(asked["host"], name) or ""
    trace_id = fields.first(asked["trace"], _trace) or ""
    said = _message(fields, asked["message"])
    docker = fields.find("line")
    if isinstance(docker, dict) and not is_within and (inner := line_of(docker, is_within=True)) is not None:
        fields.drop("line")
        return _within(inner, fields, timestamp, service, host)
    inner = _inner(said) if not is_within and (level is None or timestamp is None) else None
    if inner is not None and fields.keys.keys() & {"stream", "line"}:  # Docker's: the program's record within
        return _within(inner, fields, timestamp, service, host)
    if inner is not None:
        level = level or inner.level
    message = said or text(dict(record))
    level = level or guess_level(message) or _of_klog(fields) or Level.INFO
    return Line(message, timestamp, level, service, host, fields.rest, trace_id, unknown)


def _within(inner: Line, fields: Record, timestamp: Any, service: str, host: str) -> Line:
    attributes = {**fields.rest, **inner.attributes}
    return Line(
        inner.message,
        inner.timestamp or timestamp,
        inner.level,
        inner.service or service,
        inner.host or host,
        attributes,
        inner.trace_id,
        inner.unknown_level,
    )


def _inner(said: str) -> Line | None:
    if not said.startswith("{") or len(said) > MAX_INNER:
        return None
    try:
        value = orjson.loads(said)
    except orjson.JSONDecodeError:
        return None
    fields = Record(value) if isinstance(value, dict) else None
    if fields is None or not (fields.keys.keys() & _WHOLE or "@mt" in fields.keys):
        return None
    inner_message = fields.find("message")
    return None if isinstance(inner_message, str) and inner_message.startswith("{") else line_of(value, is_within=True)


def level_in(message: str) -> Level | None:
    """Return the level of a text: of its record, or named near its beginning."""
    inner = _inner(message)
    if inner is not None and not inner.unknown_level:
        return inner.level
    return guess_level(message)


# --- Levels -----------------------------------------------------------------------------------------------------------


def _level(fields: Record, asked: Mapping[str, tuple[str, ...]]) -> tuple[Level | None, str]:
    unknown = ""
    for one in asked["level"]:
        value = fields.find(one)
        value = _named(value) if isinstance(value, dict) else value
        if value is None:
            continue
        if (level := _by_name(one, value, fields)) is not None:
            fields.drop(one)
            if one == "log/level" and len(fields.find("log")) == 1:
                fields.drop("log")
            return level, ""
        unknown = unknown or unknown_level(value)
    for one in asked["perhaps"]:
        if (level := _perhaps(one, fields.find(one), fields)) is not None:
            return level, ""
    return None, unknown


def _named(value: Mapping[str, Any]) -> Any:
    fields = Record(value)
    return next((found for one in ("name", "levelstr", "level", "no") if (found := fields.find(one)) is not None), None)


def _by_name(said_as: str, value: Any, fields: Record) -> Level | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 6:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return level_of(value)
    number = int(value) if abs(value) < 1e6 else -1
    if said_as == "levelno":
        return python_level(number)
    if said_as == "severitynumber":
        return severity_number_level(number)
    if said_as == "levelindex" or fields.keys.get(said_as) == "LogLevel":
        return level_from_zero(number)
    if said_as == "severity" and number >= 100:
        return google_level(number)
    if "eventid" in fields.keys and fields.keys.keys() & {"channel", "providername", "sourcename"}:
        return windows_level(number)
    return level_of(number)


def _perhaps(said_as: str, value: Any, fields: Record) -> Level | None:
    if said_as == "stream":
        return None
    if said_as in ("priority", "prio") and isinstance(value, (str, int)) and not isinstance(value, bool):
        digits = str(value)
        if digits.isascii() and digits.isdigit() and len(digits) == 1:
            return (
                _MYSQL.get(int(digits)) if said_as == "prio" and "errcode" in fields.keys else syslog_level(int(digits))
            )
        return None if said_as == "prio" or not fields.keys.keys() & set(_JOURNAL) else level_of(value)
    if not isinstance(value, str) or value[:1].isdigit() or (said_as in ("s", "l") and not value[:1].isupper()):
        return None
    level = level_of(value)
    is_usual = said_as != "type" or value.lower() in ("error", "warning", "info", "debug", "fatal", "critical", "warn")
    return level if is_usual else None


_MYSQL = {0: Level.INFO, 1: Level.ERROR, 2: Level.WARNING, 3: Level.INFO}


def _of_klog(fields: Record) -> Level | None:
    """Return the level of Kubernetes' JSON: a verbosity, or neither for an error."""
    if not isinstance(fields.said.get("ts"), (int, float)) or "msg" not in fields.said:
        return None
    verbosity = fields.said.get("v")
    if isinstance(verbosity, int):
        return Level.DEBUG if verbosity >= 4 else Level.INFO
    return Level.ERROR if "err" in fields.said else None


# --- Messages, traces -------------------------------------------------------------------------------------------------


def _message(fields: Record, asked: Iterable[str]) -> str:
    for one in asked:
        value = fields.find(one)
        if value is None or (isinstance(value, dict) and one in ("log", "event", "body", "text", "line", "error")):
            continue
        said = _bytes(value) if isinstance(value, list) else text(value)
        if not said:
            continue
        if one in ("@mt", "messagetemplate"):
            said = _rendered(said, fields)
        fields.drop(one)
        return said
    for one in ("body", "event"):
        if (value := fields.find(one)) is not None:
            fields.drop(one)
            return text(value)
    return ""


def _bytes(value: list[Any]) -> str:
    if value and all(type(byte) is int and 0 <= byte < 256 for byte in value):
        return bytes(value).decode("utf-8", "replace")
    return text(value)


def _rendered(template: str, fields: Record) -> str:
    inner = fields.find("properties")
    properties = {**fields.said, **(inner if isinstance(inner, dict) else {})}
    return _PLACE.sub(lambda place: text(properties[place[1]]) if place[1] in properties else place[0], template)


def _trace(value: Any) -> str:
    if not isinstance(value, str):
        return trace_of(value.get("id")) if isinstance(value, dict) else ""
    said = value.rpartition("/")[2]  # Google's: projects/<project>/traces/<id>
    if match := _W3C.fullmatch(said):
        return trace_of(match[1])
    if match := _XRAY.match(said):
        return match[1] + match[2]
    return trace_of(said)
