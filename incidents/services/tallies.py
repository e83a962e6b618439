"""Keeping the counts of the summary.

Every write to an incident leaves `is_tallied` false. The job moves such incidents from the counts they were in to those
they belong to now. The summary adds what the job has not done yet, so it is exact at any moment, and cheap as long as
the job runs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import CharField, Count, F, Value

from core.db.rows import lock_available
from core.db.transactions import unit_of_work
from incidents.models import Incident, Tally
from incidents.models.tally import Dimension

Key = tuple[str, str]
Counts = Counter[Key]
BATCH = 500
COLUMNS = ("status", "severity", "team_id", "category_id", "is_restricted", "deleted_at")


def label_of(row: dict[str, Any]) -> str:
    """What an incident's row (COLUMNS) is to be counted under; "" for restricted and deleted ones, which are not."""
    if row["is_restricted"] or row["deleted_at"] is not None:
        return ""
    return "|".join(str(row[column] or "") for column in COLUMNS[:4])


def keys_of(label: str) -> Iterator[Key]:
    """The tallies that a label stands for, one in each dimension."""
    if label:
        yield from zip(Dimension.values, label.split("|"), strict=True)


def current() -> Counter[Key]:
    """All counts as they are at this moment: those kept, and what the job has yet to do.

    Both are read in one statement: between two, the job might move what neither of them then shows.
    """
    nothing = Value(None, output_field=CharField())
    kept = Tally.objects.values_list("dimension", "value", *[nothing] * 5, "count", Value(1))
    changed = (
        Incident.objects.filter(is_tallied=False)
        .order_by()
        .annotate(number=Count("pk"))
        .values_list("tallied_as", *COLUMNS, "number", Value(0))
    )
    counts: Counter[Key] = Counter()
    for first, *rest, number, is_kept in kept.union(changed, all=True):
        if is_kept:
            counts[first, rest[0]] += number
        else:
            _move(counts, first, label_of(dict(zip(COLUMNS, rest, strict=True))), number)
    return counts


def update_batch(limit: int = BATCH) -> int:
    """Move up to `limit` changed incidents to the counts they belong to; how many were looked at."""
    # Looking costs no lock; most of the time there is nothing to do.
    return _update_batch(limit) if Incident.objects.filter(is_tallied=False).exists() else 0


@unit_of_work
def _update_batch(limit: int) -> int:
    changed = lock_available(Incident.objects.filter(is_tallied=False).order_by("id"))
    rows = list(changed.values("id", "tallied_as", *COLUMNS)[:limit])
    deltas: Counter[Key] = Counter()
    members: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        label = label_of(row)
        members[label].append(row["id"])
        _move(deltas, row["tallied_as"], label, 1)
    for label, ids in members.items():
        Incident.objects.filter(pk__in=ids).update(tallied_as=label, is_tallied=True)
    # In the order of the keys, so that two workers never wait for each other crosswise.
    for dimension, value in sorted(key for key, delta in deltas.items() if delta):
        Tally.objects.get_or_create(dimension=dimension, value=value)
        Tally.objects.filter(dimension=dimension, value=value).update(count=F("count") + deltas[dimension, value])
    return len(rows)


def forget(incident: Incident) -> None:
    """Take an incident out of the counts that is about to be erased (and is locked): the job will not see it again."""
    for dimension, value in sorted(keys_of(incident.tallied_as)):
        Tally.objects.filter(dimension=dimension, value=value).update(count=F("count") - 1)


def _move(counts: Counter[Key], before: str, after: str, number: int) -> None:
    for key in keys_of(before):
        counts[key] -= number
    for key in keys_of(after):
        counts[key] += number
