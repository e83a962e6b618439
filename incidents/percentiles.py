"""Exact percentiles (nearest rank) of a stored duration, for any selection and grouping.

Two ways to the same numbers. Where the selection is large and the groups few, each percentile is read off an index by
its position: the database steps over index entries and sends one number. Otherwise the durations are fetched and
sorted here, which is quicker for the thousands of rows that a month or a team has.
"""

import math
from array import array
from collections import defaultdict
from typing import Any

from incidents.models import IncidentQuerySet

RANKS = (50, 90, 95)
WALK_FROM = 100_000  # rows; from here on reading by position wins
WALK_GROUPS = 8  # groups; each costs six queries

Percentiles = dict[str, int | None]


def nearest_rank(percent: int, count: int) -> int:
    """The position (from 0) of a percentile among `count` sorted values: the smallest that reaches the share."""
    return max(math.ceil(percent * count / 100) - 1, 0)


def of_sorted(values: Any) -> Percentiles:
    """The percentiles of values in ascending order; None where there are none."""
    return {f"p{rank}_seconds": values[nearest_rank(rank, len(values))] if values else None for rank in RANKS}


def by_group(
    incidents: IncidentQuerySet, column: str, group: str | None, counts: dict[Any, int]
) -> dict[Any, Percentiles]:
    """The percentiles of `column` in each group; `counts` says how many values each group has (key None: no groups)."""
    if sum(counts.values()) >= WALK_FROM and len(counts) <= WALK_GROUPS:
        return {key: _walked(incidents, column, group, key, count) for key, count in counts.items()}
    return _fetched(incidents, column, group)


def _walked(incidents: IncidentQuerySet, column: str, group: str | None, key: Any, count: int) -> Percentiles:
    if group is not None:
        incidents = incidents.filter(**({f"{group}__isnull": True} if key is None else {group: key}))
    present = incidents.filter(**{f"{column}__isnull": False}).values_list(column, flat=True)
    found: Percentiles = {}
    for rank in RANKS:
        position = nearest_rank(rank, count)
        # From whichever end is nearer.
        from_the_end = count - 1 - position
        ordered, offset = (
            (present.order_by(f"-{column}"), from_the_end)
            if from_the_end < position
            else (present.order_by(column), position)
        )
        found[f"p{rank}_seconds"] = next(iter(ordered[offset : offset + 1]), None)
    return found


def _fetched(incidents: IncidentQuerySet, column: str, group: str | None) -> dict[Any, Percentiles]:
    values: defaultdict[Any, array[int]] = defaultdict(lambda: array("q"))
    present = incidents.filter(**{f"{column}__isnull": False}).order_by()
    if group is None:
        values[None].extend(present.values_list(column, flat=True).iterator(chunk_size=10_000))
    else:
        for key, value in present.values_list(group, column).iterator(chunk_size=10_000):
            values[key].append(value)
    return {key: of_sorted(sorted(durations)) for key, durations in values.items()}
