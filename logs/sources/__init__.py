"""Stores that rules read lines from."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

INTERNAL = "internal"


class SeenLine(NamedTuple):
    """A line as rules see it; `attributes` only if asked for."""

    timestamp: dt.datetime
    level: int
    service: str
    host: str
    message: str
    trace_id: str
    attributes: Mapping[str, Any]


class LogSource(Protocol):
    """A store of lines; register others with `register_source`."""

    def lines(
        self,
        since: dt.datetime,
        until: dt.datetime,
        *,
        level: int = 0,
        below: int | None = None,
        service: str = "",
        limit: int | None = None,
        with_attributes: bool = False,
    ) -> Iterable[SeenLine]:
        """Return at most `limit` lines, unordered; `until` and `below` are exclusive.

        Raises OSError or a database error to be asked later.
        """
        ...


_sources: dict[str, tuple[Callable[[], LogSource], str]] = {}


def register_source(kind: str, make: Callable[[], LogSource], title: str) -> None:
    _sources[kind] = make, title


def kinds() -> list[tuple[str, str]]:
    """Return kinds and titles."""
    return [(kind, title) for kind, (_make, title) in _sources.items()]


def source_of_kind(kind: str) -> LogSource:
    """Return the store of a kind. Raises KeyError."""
    make, _title = _sources[kind]
    return make()
