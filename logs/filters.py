"""Filters of the list of lines, and which index answers them."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from core.api.paging import containing
from core.api.problems import moment_of, refuse
from logs.vocabulary import LEVEL_OF_WORD, Level

FILTERS = {
    "level": "Comma list of: trace, debug, info, warning, error, critical.",
    "level_min": "This level and worse ones.",
    "service": "Exact.",
    "host": "Exact.",
    "since": "A time (ISO 8601), itself included.",
    "until": "A time (ISO 8601), itself not included.",
    "trace_id": "Exact.",
    "source": "Id of the source that handed them in.",
    "q": (
        "Characters anywhere in the message, whatever their case. Looks through a bounded number of lines for each "
        "page: a page may be short, or empty, while `next` goes on."
    ),
}


@dataclass(frozen=True)
class Selection:
    """Filters cut along the indexes.

    `found` conditions are answered by an index in the list's order, one query for each of `branches`; `checked` ones
    are tested row by row.
    """

    found: Q
    branches: tuple[Q, ...]
    checked: Q | None


def selection(given: Mapping[str, str]) -> Selection:
    """Parse a query string's filters; 400 for an invalid value."""
    exact: dict[str, str | int] = {
        name: _exact(name, given[name]) for name in ("trace_id", "service", "host") if name in given
    }
    if "source" in given:
        exact["source_id"] = _number("source", given["source"])
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
    return Selection(found, branches, _all(checked))


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
            condition &= Q(**{lookup: moment_of(name, given[name])})
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


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        refuse(name, f"{value} is no id.")
    return int(value)
