"""Stores that rules read lines from; another store implements `LogSource` and is registered."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

INTERNAL = "internal"


class SeenLine(NamedTuple):
    """A line as rules see it; `attributes` are empty unless asked for."""

    timestamp: dt.datetime
    level: int
    service: str
    host: str
    message: str
    trace_id: str
    attributes: Mapping[str, Any]


class LogSource(Protocol):
    """A store of lines."""

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
        """Return lines from `since` up to, not including, `until`, in any order.

        Only those at least `level`, below `below`, and of `service`, where given; at most `limit`. Raises OSError or a
        database error when the store cannot answer now: rules are then evaluated later.
        """
        ...


_sources: dict[str, Callable[[], LogSource]] = {}


def register_source(kind: str, make: Callable[[], LogSource]) -> None:
    """Have rules of this kind read from the store that `make` opens."""
    _sources[kind] = make


def source_of_kind(kind: str) -> LogSource:
    """Return the store that rules of this kind read. Raises KeyError."""
    return _sources[kind]()


KINDS = [(INTERNAL, "Lines stored here")]
