"""Exact percentiles (nearest rank) of a stored duration, for any selection and grouping.

Two ways to the same numbers. Of a selection, the durations are fetched and sorted here: a month or a team has some
thousands. Of everything, each percentile is read off an index by its position: the database steps over index entries
without looking at a row. That index holds what everybody counts; the few restricted incidents that the viewer sees
besides are merged in.
"""

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Expression, F, IntegerField, Value

from incidents.models import Incident, IncidentQuerySet

RANKS = (50, 90, 95)

COLUMNS = ("ack_seconds", "resolve_seconds")

Percentiles = dict[str, int | None]
Pair = tuple[Percentiles, Percentiles]  # of acknowledging and of resolving
Durations = tuple["array[int]", "array[int]"]


def nearest_rank(percent: int, count: int) -> int:
    """The position (from 0) of a percentile among `count` sorted values: the smallest that reaches the share."""
    return max(math.ceil(percent * count / 100) - 1, 0)


def of_sorted(values: Any) -> Percentiles:
    """The percentiles of values in ascending order; None where there are none."""
    return {f"p{rank}_seconds": values[nearest_rank(rank, len(values))] if values else None for rank in RANKS}


def of_durations(durations: Durations) -> Pair:
    """The percentiles of acknowledging and of resolving."""
    ack, resolve = durations
    return of_sorted(sorted(ack)), of_sorted(sorted(resolve))


def durations_of(parts: Iterable[IncidentQuerySet], grouping: Expression | F | None) -> "dict[Any, Durations]":
    """The seconds to acknowledge and to resolve in each group of all parts together (key None: all of them)."""
    found: defaultdict[Any, Durations] = defaultdict(_no_durations)
    for part in parts:
        rows = part.order_by().annotate(group_key=grouping or Value(None, output_field=IntegerField()))
        for key, ack, resolve in rows.values_list("group_key", *COLUMNS).iterator(chunk_size=10_000):
            acks, resolves = found[key]
            if ack is not None:
                acks.append(ack)
            if resolve is not None:
                resolves.append(resolve)
    return found


def together(groups: "Iterable[Durations]") -> Durations:
    """The durations of groups that have nothing in common, as one."""
    ack, resolve = _no_durations()
    for acks, resolves in groups:
        ack.extend(acks)
        resolve.extend(resolves)
    return ack, resolve


def of_everything(besides: IncidentQuerySet, group: str | None, counts: dict[Any, tuple[int, int]]) -> dict[Any, Pair]:
    """Those of all counted incidents and those `besides`; `counts` says how many durations each group has in all."""
    extra = durations_of([besides], F(group) if group else None)
    found = {}
    for key, (acks, resolves) in counts.items():
        counted = Incident.objects.counted().filter(**({group: key} if group else {}))
        ack, resolve = extra.get(key) or _no_durations()
        found[key] = (
            _read_off(counted, "ack_seconds", acks, sorted(ack)),
            _read_off(counted, "resolve_seconds", resolves, sorted(resolve)),
        )
    return found


def _no_durations() -> Durations:
    return array("q"), array("q")


def _read_off(counted: IncidentQuerySet, column: str, count: int, extra: list[int]) -> Percentiles:
    """Percentiles of the union of an indexed column and a short sorted list; `count` is the union's.

    With m extra values, the union's value at position k lies among the column's at k - m to k and the extra ones.
    """
    if not count:
        return of_sorted(())
    found: Percentiles = {}
    for rank in RANKS:
        position = nearest_rank(rank, count)
        first = max(position - len(extra), 0)
        last = min(position, count - len(extra) - 1)
        nearby = _slice(counted, column, first, last, count - len(extra))
        candidates = sorted([*nearby, *extra])
        # Somebody may have written since the values were counted.
        found[f"p{rank}_seconds"] = candidates[min(position - first, len(candidates) - 1)] if candidates else None
    return found


def _slice(counted: IncidentQuerySet, column: str, first: int, last: int, count: int) -> Iterable[int]:
    """The column's values from one position to another, both included, in no order; from whichever end is nearer."""
    present = counted.filter(**{f"{column}__isnull": False}).values_list(column, flat=True)
    if first > count // 2:
        return present.order_by(f"-{column}")[max(count - 1 - last, 0) : count - first]
    return present.order_by(column)[first : last + 1]
