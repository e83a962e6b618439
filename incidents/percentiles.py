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

from django.db.models import Expression, F

from incidents.models import Incident, IncidentQuerySet

RANKS = (50, 90, 95)

Percentiles = dict[str, int | None]


def nearest_rank(percent: int, count: int) -> int:
    """The position (from 0) of a percentile among `count` sorted values: the smallest that reaches the share."""
    return max(math.ceil(percent * count / 100) - 1, 0)


def of_sorted(values: Any) -> Percentiles:
    """The percentiles of values in ascending order; None where there are none."""
    return {f"p{rank}_seconds": values[nearest_rank(rank, len(values))] if values else None for rank in RANKS}


def of_selection(
    parts: Iterable[IncidentQuerySet], column: str, grouping: Expression | F | None
) -> dict[Any, Percentiles]:
    """The percentiles of `column` in each group of all parts together (key None: all of them)."""
    return {key: of_sorted(sorted(values)) for key, values in _values(parts, column, grouping).items()}


def of_everything(
    besides: IncidentQuerySet, column: str, group: str | None, counts: dict[Any, int]
) -> dict[Any, Percentiles]:
    """The same of all counted incidents and those `besides`; `counts` says how many values each group has in all."""
    extra = _values([besides], column, F(group) if group else None)
    found = {}
    for key, count in counts.items():
        counted = Incident.objects.counted().filter(**({group: key} if group else {}))
        found[key] = _read_off(counted, column, count, sorted(extra.get(key, ())))
    return found


def _values(parts: Iterable[IncidentQuerySet], column: str, grouping: Expression | F | None) -> "dict[Any, array[int]]":
    values: defaultdict[Any, array[int]] = defaultdict(lambda: array("q"))
    for part in parts:
        present = part.filter(**{f"{column}__isnull": False}).order_by()
        if grouping is None:
            values[None].extend(present.values_list(column, flat=True).iterator(chunk_size=10_000))
            continue
        grouped = present.annotate(group_key=grouping).values_list("group_key", column)
        for key, value in grouped.iterator(chunk_size=10_000):
            values[key].append(value)
    return values


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
