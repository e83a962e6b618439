"""Changing what an incident says and who has it: any number of fields and a move, all or nothing."""

import datetime as dt
from typing import Any

from incidents.models import EventKind, Incident, Origin, Priority, Severity
from incidents.permissions import require_edit, require_work
from incidents.services.clocks import due_times, holds_since_start, mark_breaches_of, next_breach_at, policy_values
from incidents.services.lifecycle import move_to
from incidents.services.recording import Act, Entry, lock
from incidents.services.reporting import require_can_respond
from incidents.vocabulary import Status
from responders.models import Service, Team
from users.models import User
from users.transactions import unit_of_work

PLAIN_FIELDS = ("title", "description", "category", "location", "is_restricted", "occurred_at")


@unit_of_work
def update(
    incident: Incident,
    *,
    by: User | None,
    fields: dict[str, Any] | None = None,
    status: str | None = None,
    note: str = "",
    origin: str = Origin.API,
    at: dt.datetime | None = None,
    expected_version: int | None = None,
) -> Incident:
    """Change fields, then move to `status`; each fact leaves its own event, and all of it happens or none.

    `fields` may hold title, description, category, location, is_restricted, occurred_at, services (a list), severity,
    priority (None: follow the severity), team, assignee. Values equal to the present ones leave no event. The note
    belongs to the move; without one it is told with the change of team or assignee.
    """
    fields = fields or {}
    incident = lock(incident, expected_version=expected_version)
    if fields:
        require_edit(by, incident, frozenset(fields))
    if status is not None:
        require_work(by, incident)
    entry = Entry(incident, Act.now(by, origin, at))
    is_moved = status is not None and status != incident.status
    _apply(entry, fields, note="" if is_moved else note)
    if status is not None:
        move_to(entry, status, note)
    return entry.save()


def assign_team(
    incident: Incident, team: Team | None, *, by: User | None, note: str = "", origin: str = Origin.API
) -> Incident:
    """Hand the incident to a team (None: to nobody)."""
    return update(incident, by=by, fields={"team": team}, note=note, origin=origin)


def assign_person(
    incident: Incident, assignee: User | None, *, by: User | None, note: str = "", origin: str = Origin.API
) -> Incident:
    """Give the incident to a person (None: to nobody)."""
    return update(incident, by=by, fields={"assignee": assignee}, note=note, origin=origin)


def _apply(entry: Entry, fields: dict[str, Any], note: str) -> None:
    incident = entry.incident
    for name in PLAIN_FIELDS:
        if name in fields and getattr(incident, name) != fields[name]:
            entry.change(EventKind.FIELD_CHANGED, {name: fields[name]})
    if "services" in fields:
        _set_services(entry, list(fields["services"]))
    if "severity" in fields or "category" in fields:
        _set_severity(entry, Severity(fields.get("severity", incident.severity)))
    if "priority" in fields:
        _set_priority(entry, fields["priority"])
    if "team" in fields and incident.team_id != _id(fields["team"]):
        entry.change(EventKind.TEAM_CHANGED, {"team": fields["team"]}, body=note)
        note = ""
    if "assignee" in fields and incident.assignee_id != _id(fields["assignee"]):
        require_can_respond(fields["assignee"])
        entry.change(EventKind.ASSIGNEE_CHANGED, {"assignee": fields["assignee"]}, body=note)


def _id(row: Team | User | None) -> int | None:
    return row.pk if row is not None else None


def _set_services(entry: Entry, services: list[Service]) -> None:
    before = sorted(entry.incident.services.values_list("slug", flat=True))
    after = sorted(service.slug for service in services)
    if before == after:
        return
    entry.incident.services.set(services)
    entry.note(EventKind.FIELD_CHANGED, data={"changes": {"services": [before, after]}})
    entry.columns.add("updated_at")


def _set_severity(entry: Entry, severity: Severity) -> None:
    """A new severity (or category) has its own policy: due times are counted anew from the opening."""
    incident = entry.incident
    is_changed = incident.severity != severity
    told: dict[str, Any] = {"severity": severity}
    silent: dict[str, Any] = {}
    if is_changed and not incident.is_priority_given:
        told["priority"] = Priority(severity)
    if incident.is_still_open and (is_changed or "category" in entry.columns):
        silent["sla"] = policy_values(severity, incident.category)
        holds = holds_since_start(incident)
        told["ack_due_at"], told["resolve_due_at"] = due_times(silent["sla"], incident.clock_started_at, holds)
    due_changed = any(getattr(incident, name) != value for name, value in told.items())
    if not due_changed:
        return
    kind = EventKind.SEVERITY_CHANGED if is_changed else EventKind.FIELD_CHANGED
    entry.change(kind, told, silent=silent)
    _judge_new_targets(entry)


def _judge_new_targets(entry: Entry) -> None:
    """Targets moved: what counted as missed may be met now, and the other way round."""
    incident, at = entry.incident, entry.act.at
    if incident.status != Status.OPEN and not incident.reopen_count:
        mark_breaches_of(entry, acknowledged_at=incident.acknowledged_at)
    forgiven = {
        flag: False
        for flag, due in (("ack_breached", incident.ack_due_at), ("resolve_breached", incident.resolve_due_at))
        if getattr(incident, flag) and (due is None or due > at)
    }
    if forgiven:
        entry.change(EventKind.FIELD_CHANGED, forgiven)
    incident.next_breach_at = next_breach_at(incident)
    entry.columns.add("next_breach_at")


def _set_priority(entry: Entry, priority: Priority | None) -> None:
    wanted = priority or Priority(entry.incident.severity)
    if entry.incident.is_priority_given != (priority is not None):
        entry.incident.is_priority_given = priority is not None
        entry.columns.add("is_priority_given")
    if entry.incident.priority != wanted:
        entry.change(EventKind.PRIORITY_CHANGED, {"priority": wanted})
