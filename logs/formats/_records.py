"""A log record as the loggers of this world write it in JSON: the same things under a dozen names."""

from collections.abc import Mapping, Sequence
from typing import Any

from logs.formats._reading import moment, name, text, trace_of
from logs.levels import guess_level, level_of, python_level
from logs.lines import Line, first_named
from logs.vocabulary import Level

TIME = ("timestamp", "time", "@timestamp", "ts", "datetime", "date", "created", "eventTime", "asctime")
LEVEL = ("level", "severity", "levelname", "log.level", "loglevel", "log_level", "lvl", "severity_text", "levelno")
MESSAGE = ("message", "msg", "log", "short_message", "event", "text", "body", "MESSAGE")
SERVICE = (
    "service",
    "service.name",
    "service_name",
    "app",
    "application",
    "appname",
    "container_name",
    "logger",
    "name",
)
HOST = ("host", "hostname", "host.name", "host_name", "node", "instance")
TRACE = ("trace_id", "traceId", "trace.id", "traceid", "traceID", "otelTraceID")


def line_of(record: Mapping[str, Any]) -> Line | None:
    """The line that a record says; what has no place of its own goes to the attributes. None for an empty record."""
    if not record:
        return None
    rest = dict(record)
    said_level = _taken(rest, _ecs(rest))
    level = _level(*said_level)
    when_name, when = first_named(rest, TIME)
    timestamp = moment(when)
    if timestamp is not None:
        del rest[when_name]
    service, host = name(_taken(rest, SERVICE)[1]), name(_taken(rest, HOST)[1])
    trace_name, trace = first_named(rest, TRACE)
    if trace_id := trace_of(trace):
        del rest[trace_name]
    message = text(_taken(rest, MESSAGE)[1]) or text(dict(record))
    return Line(message, timestamp, level or guess_level(message) or Level.INFO, service, host, rest, trace_id)


def _taken(rest: dict[str, Any], names: Sequence[str]) -> tuple[str, Any]:
    """The first of the names that says something, and what; it is taken out of the record."""
    found, value = first_named(rest, names)
    if found:
        del rest[found]
    return found, value


def _ecs(rest: dict[str, Any]) -> Sequence[str]:
    """The names of a level. Elastic's `log` is an object that holds it, everybody else's is the message."""
    log = rest.get("log")
    if isinstance(log, dict) and "level" in log:
        rest["log.level"] = log["level"]
        del rest["log"]
    return LEVEL


def _level(said_as: str, value: Any) -> Level | None:
    if said_as == "levelno" and isinstance(value, int):
        return python_level(value)
    return level_of(value)
