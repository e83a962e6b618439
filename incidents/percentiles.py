"""Calculate exact percentiles (nearest rank) of stored durations."""

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Aggregate, Count, Expression, F, IntegerField, Sum, TextField, Value

from incidents.models import Incident, IncidentQuerySet

RANKS = (50, 90, 95)

COLUMNS = ("ack_seconds", "resolve_seconds")

Percentiles = dict[str, int | None]
Pair = tuple[Percentiles, Percentiles]  # to acknowledge, to resolve
Durations = tuple["array[int]", "array[int]"]


class Joined(Aggregate):
    """All values of a group in one text: a row each would take several times as long to fetch."""

    function = "GROUP_CONCAT"
    output_field = TextField()


class Cut(Exception):
    """The database returned less than it added up: more than its group_concat_max_len."""


def joined(column: str) -> dict[str, Aggregate]:
    """Return what reads a column's values of a group with `numbers_of`."""
    return {f"{column}_text": Joined(column), f"{column}_count": Count(column), f"{column}_sum": Sum(column)}


def numbers_of(row: Mapping[str, Any], column: str) -> list[int]:
    """Return a column's values. Raises Cut."""
    text = row[f"{column}_text"] or ""
    numbers = [int(number) for number in text.split(",") if number]
    if (len(numbers), sum(numbers)) != (row[f"{column}_count"], row[f"{column}_sum"] or 0):
        raise Cut(f"{len(numbers)} of {row[f'{column}_count']} values of {column}")
    return numbers


def nearest_rank(percent: int, count: int) -> int:
    """Return a percentile's position among sorted values."""
    return max(math.ceil(percent * count / 100) - 1, 0)


def sorted_percentiles(values: Any) -> Percentiles:
    return {f"p{rank}_seconds": values[nearest_rank(rank, len(values))] if values else None for rank in RANKS}


def duration_percentiles(durations: Durations) -> Pair:
    ack, resolve = durations
    return sorted_percentiles(sorted(ack)), sorted_percentiles(sorted(resolve))


def collect_durations(parts: Iterable[IncidentQuerySet], grouping: Expression | F | None) -> "dict[Any, Durations]":
    """Return the durations in each group."""
    found: defaultdict[Any, Durations] = defaultdict(_no_durations)
    for part in parts:
        rows = part.order_by().annotate(group_key=grouping or Value(None, output_field=IntegerField()))
        try:
            durations = list(_joined_durations(rows))
        except Cut:
            durations = list(_durations_by_row(rows))
        for key, acks, resolves in durations:
            found[key][0].extend(acks)
            found[key][1].extend(resolves)
    return found


def _joined_durations(rows: Any) -> "Iterator[tuple[Any, Iterable[int], Iterable[int]]]":
    ack, resolve = COLUMNS
    for row in rows.values("group_key").annotate(**joined(ack), **joined(resolve)):
        yield row["group_key"], numbers_of(row, ack), numbers_of(row, resolve)


def _durations_by_row(rows: Any) -> "Iterator[tuple[Any, Iterable[int], Iterable[int]]]":
    for key, *seconds in rows.values_list("group_key", *COLUMNS).iterator(chunk_size=10_000):
        ack, resolve = ([] if value is None else [value] for value in seconds)
        yield key, ack, resolve


def merge_durations(groups: "Iterable[Durations]") -> Durations:
    ack, resolve = _no_durations()
    for acks, resolves in groups:
        ack.extend(acks)
        resolve.extend(resolves)
    return ack, resolve


def indexed_percentiles(
    besides: IncidentQuerySet, group: str | None, counts: dict[Any, tuple[int, int]]
) -> dict[Any, Pair]:
    """Read the percentiles of all counted incidents off an index, and merge those `besides`."""
    extra = collect_durations([besides], F(group) if group else None)
    found = {}
    for key, (acks, resolves) in counts.items():
        counted = Incident.objects.counted().filter(**({group: key} if group else {}))
        ack, resolve = extra.get(key) or _no_durations()
        found[key] = (
            _percentiles_from_index(counted, "ack_seconds", acks, sorted(ack)),
            _percentiles_from_index(counted, "resolve_seconds", resolves, sorted(resolve)),
        )
    return found


def _no_durations() -> Durations:
    return array("q"), array("q")


def _percentiles_from_index(counted: IncidentQuerySet, column: str, count: int, extra: list[int]) -> Percentiles:
    """Return percentiles of an indexed column and a short sorted list, `count` values in all.

    With m extra values, position k needs the column's values at k - m to k.
    """
    if not count:
        return sorted_percentiles(())
    found: Percentiles = {}
    for rank in RANKS:
        position = nearest_rank(rank, count)
        first = max(position - len(extra), 0)
        last = min(position, count - len(extra) - 1)
        nearby = _values_between(counted, column, first, last, count - len(extra))
        candidates = sorted([*nearby, *extra])
        # Rows may have been written meanwhile.
        found[f"p{rank}_seconds"] = candidates[min(position - first, len(candidates) - 1)] if candidates else None
    return found


def _values_between(counted: IncidentQuerySet, column: str, first: int, last: int, count: int) -> Iterable[int]:
    present = counted.filter(**{f"{column}__isnull": False}).values_list(column, flat=True)
    if first > count // 2:
        return present.order_by(f"-{column}")[max(count - 1 - last, 0) : count - first]
    return present.order_by(column)[first : last + 1]
