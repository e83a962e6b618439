"""Filters of the list of lines, and which index answers them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import DateTimeField, Q
from rest_framework.request import Request

from core.api.listing import Filter, ListQuery, Selection, number_of
from core.api.paging import Key, containing
from core.api.problems import moment_of, refuse
from core.db.prepared import Parameter
from logs.models import LogEntry
from logs.serializers import COLUMNS
from logs.vocabulary import LEVEL_OF_WORD, Level


def selection(rows: Any, given: Mapping[str, str]) -> Selection:
    """Cut rows along indexes by filters, or answer 400."""
    exact: dict[str, str | int] = {
        name: _exact(name, given[name]) for name in ("trace_id", "service", "host") if name in given
    }
    if "source" in given:
        exact["source_id"] = number_of("source", given["source"])
    found, levels = _times(given), _levels(given)
    leader = next((name for name in ("trace_id", "service", "host", "source_id") if name in exact), "")
    if leader:
        found &= _is(leader, exact.pop(leader))
    checked = [_is(name, value) for name, value in exact.items()]
    if levels == []:
        found &= Q(pk__in=[])
    by_level = leader == "service" or (not leader and levels is not None)
    branches = tuple(Q(level=level) for level in levels or Level) if by_level else (Q(),)
    if levels is not None and not by_level:
        checked.append(Q(level__in=levels))
    if given.get("q"):
        checked.append(containing("message", given["q"]))
    return Selection(rows.filter(found), _all(checked), branches)


def _is(name: str, value: str | int) -> Q:
    return Q(**{name if isinstance(value, int) else f"{name}__exactly": value})


def _all(conditions: list[Q]) -> Q | None:
    if not conditions:
        return None
    together = conditions[0]
    for condition in conditions[1:]:
        together &= condition
    return together


def _times(given: Mapping[str, str]) -> Q:
    condition = Q()
    for name, lookup in (("since", "timestamp__gte"), ("until", "timestamp__lt")):
        if name in given:
            condition &= Q(**{lookup: Parameter(name, DateTimeField(), value=moment_of(name, given[name]))})
    return condition


def _levels(given: Mapping[str, str]) -> list[Level] | None:
    wanted: set[Level] | None = None
    if "level" in given:
        words = [word.strip() for word in given["level"].split(",") if word.strip()] or [""]
        wanted = {_level("level", word) for word in words}
    if "level_min" in given:
        least = _level("level_min", given["level_min"])
        wanted = {level for level in wanted or Level if level >= least}
    return None if wanted is None else sorted(wanted)


def _level(name: str, word: str) -> Level:
    if (level := LEVEL_OF_WORD.get(word.strip().lower())) is None:
        refuse(name, f"{word or 'Nothing'} is not one of {', '.join(LEVEL_OF_WORD)}.")
    return level


def _exact(name: str, value: str) -> str:
    if "\0" in value:
        refuse(name, f"{name} holds a character that no line has.")
    return value.lower() if name == "trace_id" else value


def _declared(help: str, parse: Callable[[str, str], Any] | None = None) -> Filter:
    return Filter(lambda rows, name, value, user: rows, help, parse=parse)


class LineQuery(ListQuery):
    """The list of lines: all filters together choose the index."""

    def select(self, rows: Any, request: Request, *, but: str = "") -> Selection:
        return selection(rows, request.query_params.dict())

    def is_checked(self, request: Request) -> bool:
        return True


LINES = LineQuery(
    "log lines",
    LogEntry,
    orderings={"timestamp": [Key("timestamp")]},
    default_ordering="-timestamp",
    columns=COLUMNS,
    filters={
        "level": _declared("Comma-separated: trace, debug, info, warning, error, critical."),
        "level_min": _declared("This level and worse ones."),
        "service": _declared("Exact."),
        "host": _declared("Exact."),
        "since": _declared("ISO 8601, inclusive.", moment_of),
        "until": _declared("ISO 8601, exclusive.", moment_of),
        "trace_id": _declared("Exact."),
        "source": _declared("Id of the source that sent them."),
        "q": _declared(
            "Characters anywhere in the message, whatever their case. Looks through a bounded number of lines for each "
            "page: a page may be short, or empty, while `next` goes on."
        ),
    },
)
