"""Where rules read lines from. Our own store is one; a store elsewhere becomes one by speaking `LogSource`."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

INTERNAL = "internal"


class SeenLine(NamedTuple):
    """A line as rules look at it. `attributes` are empty unless they were asked for."""

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
        """The lines from `since` up to, not including, `until`, in no promised order.

        Only those of at least `level`, below the level `below`, and of the service, where these are given; at most
        `limit`. Raises OSError (or the database's errors) when the store cannot be asked now: the rules are then
        evaluated later, window by window.
        """
        ...


def source_of_kind(kind: str) -> LogSource:
    """The store that rules of this kind read. Raises KeyError for an unknown kind."""
    from logs.sources.internal import InternalSource

    return {INTERNAL: InternalSource}[kind]()


KINDS = [(INTERNAL, "Lines stored here")]
