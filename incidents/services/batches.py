"""Many incidents at once, for machines: few statements however many there are."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.db import rows
from core.db.transactions import unit_of_work
from core.severity import Priority, Severity
from core.text.names import one_line
from incidents import search
from incidents.models import Category, EventKind, Incident, Origin
from incidents.services.clocks import policy_values
from incidents.services.recording import HISTORY_COLUMNS, ChangeContext, IncidentChange, seal_opening, seal_row
from incidents.services.reporting import default_team, new_incident
from incidents.snapshot import initial_changes
from responders.models import Service, Team


@dataclass(frozen=True)
class Opening:
    """An incident to be opened by a machine; as `report` takes them. `data` are further facts of its first event."""

    title: str
    description: str = ""
    severity: Severity = Severity.MEDIUM
    priority: Priority | None = None
    category: Category | None = None
    team: Team | None = None
    services: Sequence[Service] = ()
    occurred_at: dt.datetime | None = None
    origin_system: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@unit_of_work
def open_many(openings: Sequence[Opening], *, origin: Origin, at: dt.datetime | None = None) -> list[Incident]:
    """Open the incidents, in their order; nobody reported them, so nobody follows them yet.

    The audit log, which tells what people did, is not told; the timeline is.
    """
    act = ChangeContext.now(None, origin, at)
    policies: dict[tuple[int, int | None], dict[str, Any]] = {}
    teams = _Teams()
    incidents = [_incident(opening, act, policies, teams) for opening in openings]
    entries = []
    for incident, opening in zip(incidents, openings, strict=True):
        entry = IncidentChange(incident, act)
        changes = initial_changes(incident, [service.slug for service in opening.services])
        entry.note(EventKind.CREATED, data={**opening.data, "changes": changes})
        seal_row(incident)
        entries.append(entry)
    rows.insert(*incidents)
    _learn_ids(incidents)
    for entry in entries:
        seal_opening(entry.incident, entry.events)
    rows.insert(*(event for entry in entries for event in entry.events))
    through = Incident.services.through
    pairs = [(i, service) for i, opening in zip(incidents, openings, strict=True) for service in opening.services]
    rows.insert(*(through(incident=incident, service=service) for incident, service in pairs))
    search.index(*incidents)
    return incidents


def lock_many(ids: Collection[int]) -> dict[int, Incident]:
    """The incidents of these ids as they stand now, deleted ones too, locked in the order of their ids."""
    return {incident.pk: incident for incident in rows.select_in(Incident, "id", ids, lock=True)}


def save_all(entries: Iterable[IncidentChange]) -> None:
    """Write what was done to several locked incidents."""
    light = []
    for entry in entries:
        if entry.columns or any(event.body for event in entry.events):
            entry.save()
        elif entry.events:
            seal_row(entry.incident)
            light.append(entry)
    rows.update_many([entry.incident for entry in light], HISTORY_COLUMNS)
    rows.insert(*(event for entry in light for event in entry.events))


class _Teams:
    """Who gets what comes with no team: asked once for each way of saying so."""

    def __init__(self) -> None:
        self.known: dict[tuple[tuple[int, ...], int | None], Team | None] = {}

    def of(self, opening: Opening) -> Team | None:
        """The opening's own team, else as `report` finds one."""
        if opening.team is not None:
            return opening.team
        named = tuple(service.pk for service in opening.services), opening.category.pk if opening.category else None
        if named not in self.known:
            self.known[named] = default_team(opening.services, opening.category)
        return self.known[named]


def _incident(
    opening: Opening, act: ChangeContext, policies: dict[tuple[int, int | None], dict[str, Any]], teams: _Teams
) -> Incident:
    category = opening.category
    of_policy = (int(opening.severity), category.pk if category else None)
    if of_policy not in policies:
        policies[of_policy] = policy_values(opening.severity, category)
    return new_incident(
        act,
        policies[of_policy],
        title=one_line(opening.title),
        description=opening.description,
        severity=opening.severity,
        priority=opening.priority,
        category=category,
        team=teams.of(opening),
        origin_system=opening.origin_system or str(act.origin),
        occurred_at=opening.occurred_at or act.at,
    )


def _learn_ids(incidents: Sequence[Incident]) -> None:
    """Several rows inserted at once do not learn their ids everywhere; each has a uid of its own."""
    ids = dict(Incident.objects.filter(uid__in=[incident.uid for incident in incidents]).values_list("uid", "pk"))
    for incident in incidents:
        incident.pk = ids[incident.uid]
