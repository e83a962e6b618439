"""Stores of log lines elsewhere: the port that vendors' modules speak, and its registry."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Limits:
    """What one search may cost; an answer that reaches a limit is cut."""

    rows: int = 10_000
    max_bytes: int = 8 * 2**20
    seconds: float = 60.0


class Row(NamedTuple):
    """A row of an answer: its fields as text, what people read of it, and its time if it has one."""

    fields: Mapping[str, str]
    text: str
    at: dt.datetime | None


@dataclass(frozen=True)
class Found:
    """The rows of a search; `is_cut` if there may be more, beyond the limits.

    `is_late`: the time was over, or a part of the store was away: another attempt may bring all. `warnings` are the
    store's own words.
    """

    rows: Sequence[Row]
    is_cut: bool = False
    is_late: bool = False
    warnings: Sequence[str] = ()


class StoreFailed(Exception):
    """A search brought no whole answer.

    The message is a sentence for people (`core.text.sentences`, in English), without secrets. `is_permanent`: the query
    or the access is wrong, and trying again is useless. `wait`: seconds for which the store asks to be left alone.
    """

    def __init__(self, message: str, *, is_permanent: bool = False, wait: float = 0.0) -> None:
        super().__init__(message)
        self.message, self.is_permanent, self.wait = message, is_permanent, wait


@dataclass(frozen=True)
class RuleTemplate:
    """A rule that many begin with; its names and texts are marked for translation."""

    key: str
    title: Any
    about: Any
    query: str
    threshold: int
    severity: str
    check_interval_seconds: int
    window_seconds: int
    group_by: Sequence[str] = ()


@dataclass(frozen=True)
class Store:
    """A kind of store.

    `search(query, since, until, limits)` returns the rows of [since, until). Raises StoreFailed; an answer that ends
    before its end is a failure, never few rows. `validate` returns the query as `search` takes it; raises
    ValidationError for what can be none. `why_unusable` is empty, or says which settings to set. `lag` is how many
    seconds after its end a window is searched. `example` is a query in the store's language, whose name
    is `language`.
    `templates` are rules to begin with.
    """

    kind: str
    title: str
    search: Callable[[str, dt.datetime, dt.datetime, Limits], Found]
    validate: Callable[[str], str]
    why_unusable: Callable[[], str]
    lag: Callable[[], int]
    example: str
    templates: Sequence[RuleTemplate] = ()
    language: str = ""


_stores: dict[str, Store] = {}


def register_store(store: Store) -> None:
    _stores[store.kind] = store


def stores() -> list[Store]:
    """Return the registered stores, by title."""
    return sorted(_stores.values(), key=lambda store: store.title)


def store_of(kind: str) -> Store:
    """Return a store. Raises KeyError."""
    return _stores[kind]
