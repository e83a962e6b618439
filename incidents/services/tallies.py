"""Keep the counts of the summary: a job counts incidents that writes left with `is_tallied` false."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import CharField, Count, Value

from core.db import rows
from core.db.transactions import unit_of_work
from incidents.models import Incident, Tally
from incidents.models.tally import Dimension

Key = tuple[str, str]
Counts = Counter[Key]
BATCH = 500
COLUMNS = ("status", "severity", "team_id", "category_id", "is_restricted", "deleted_at")


def label_of(row: dict[str, Any]) -> str:
    """Return what a row (COLUMNS) is counted under; "" for restricted and deleted ones."""
    if row["is_restricted"] or row["deleted_at"] is not None:
        return ""
    return "|".join(str(row[column] or "") for column in COLUMNS[:4])


def keys_of(label: str) -> Iterator[Key]:
    """Yield the tallies of a label, one per dimension."""
    if label:
        yield from zip(Dimension.values, label.split("|"), strict=True)


def current() -> Counter[Key]:
    """Return all counts, with what the job has yet to do, in one statement: none is missed between."""
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
    """Move up to `limit` changed incidents to their counts; return how many were checked."""
    # looking costs no lock
    return _update_batch(limit) if Incident.objects.filter(is_tallied=False).exists() else 0


@unit_of_work
def _update_batch(limit: int) -> int:
    waiting = Incident.objects.filter(is_tallied=False).order_by("id").only("id", "tallied_as", *COLUMNS)
    changed = list(rows.lock_available(waiting)[:limit])
    deltas: Counter[Key] = Counter()
    for incident in changed:
        label = label_of({column: getattr(incident, column) for column in COLUMNS})
        _move(deltas, incident.tallied_as, label, 1)
        incident.tallied_as, incident.is_tallied = label, True
    rows.update_many(changed, ["tallied_as", "is_tallied"])
    rows.add_up(Tally, "count", deltas, "dimension", "value")
    return len(changed)


def remove(incident: Incident) -> None:
    """Take a locked incident that is about to be purged out of the counts."""
    rows.add_up(Tally, "count", dict.fromkeys(keys_of(incident.tallied_as), -1), "dimension", "value")


def _move(counts: Counter[Key], before: str, after: str, number: int) -> None:
    for key in keys_of(before):
        counts[key] -= number
    for key in keys_of(after):
        counts[key] += number
