"""Keeping the counts of the summary.

Every write to an incident leaves `is_tallied` false. The job moves such incidents to the row of counts they belong to.
The summary adds what the job has not done yet, so it is exact at any moment and cheap as long as the job runs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from django.db.models import F

from incidents.models import Incident, Tally
from users.transactions import unit_of_work

Cell = tuple[str, int, int, int]
BATCH = 500


def cell_of(incident: Incident) -> Cell | None:
    """The row of counts an incident belongs to; None for restricted and deleted ones, which nobody else counts."""
    if incident.is_restricted or incident.deleted_at is not None:
        return None
    return (incident.status, incident.severity, incident.team_id or 0, incident.category_id or 0)


def update_batch(limit: int = BATCH) -> int:
    """Move up to `limit` changed incidents to the counts they belong to; how many were looked at."""
    # Looking costs no lock; most of the time there is nothing to do.
    return _update_batch(limit) if Incident.objects.filter(is_tallied=False).exists() else 0


@unit_of_work
def _update_batch(limit: int) -> int:
    changed = list(
        Incident.objects.select_for_update()
        .filter(is_tallied=False)
        .order_by("id")
        .only("id", "status", "severity", "team_id", "category_id", "is_restricted", "deleted_at", "tally_id")[:limit]
    )
    tallies = _tallies_for(cell_of(incident) for incident in changed)
    deltas: Counter[int] = Counter()
    members: defaultdict[int | None, list[int]] = defaultdict(list)
    for incident in changed:
        cell = cell_of(incident)
        wanted = tallies[cell] if cell else None
        members[wanted].append(incident.pk)
        if incident.tally_id != wanted:
            deltas.update({key: step for key, step in ((incident.tally_id, -1), (wanted, 1)) if key is not None})
    for wanted, pks in members.items():
        Incident.objects.filter(pk__in=pks).update(tally=wanted, is_tallied=True)
    # In the order of the keys, so that two workers never wait for each other crosswise.
    for key in sorted(deltas):
        Tally.objects.filter(pk=key).update(count=F("count") + deltas[key])
    return len(changed)


def _tallies_for(cells: Iterable[Cell | None]) -> dict[Cell, int]:
    found: dict[Cell, int] = {}
    for cell in sorted({cell for cell in cells if cell}):
        status, severity, team_key, category_key = cell
        row, _ = Tally.objects.get_or_create(
            status=status, severity=severity, team_key=team_key, category_key=category_key
        )
        found[cell] = row.pk
    return found
