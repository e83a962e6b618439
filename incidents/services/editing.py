"""Change an incident's fields and assignment."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from core.api.times import refuse_future
from core.db.transactions import unit_of_work
from core.severity import Priority, Severity
from core.text.names import one_line
from incidents.actors import By
from incidents.models import Category, EventKind, Incident, Origin
from incidents.permissions import require_edit, require_grant, require_work, users_gaining_access
from incidents.services.clocks import (
    acknowledged_since_start,
    due_times,
    holds_since_start,
    is_missed,
    mark_breaches_of,
    next_breach_at,
    policy_values,
)
from incidents.services.lifecycle import move_to
from incidents.services.opening import UNTITLED, require_active, require_can_respond
from incidents.services.recording import ChangeContext, IncidentChange, lock, lock_for
from incidents.vocabulary import Status
from incidents.workflow import action_between
from responders.models import Service, Team
from users.models import User

PLAIN_FIELDS = ("title", "description", "category", "location", "is_restricted", "occurred_at")


@unit_of_work
def update(
    incident: Incident | int,
    *,
    by: By,
    fields: dict[str, Any] | None = None,
    status: str | None = None,
    note: str = "",
    grants_access: bool = True,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
    expected_versions: Collection[int] | None = None,
) -> Incident:
    """Change fields, then move to `status`, all or none, each with its event.

    `fields`: title, description, category, location, is_restricted, occurred_at, services (a list), severity, priority
    (None: follow the severity), team, assignee. The note goes with the move, else the assignment, else as a comment.
    `grants_access` confirms that others gain access. NotFound if `by` may not see it.
    """
    fields = dict(fields or {})
    if "title" in fields:
        fields["title"] = one_line(fields["title"]) or UNTITLED
    incident = _locked(incident, by, expected_versions)
    if fields:
        require_edit(by, incident, frozenset(fields))
        _require_grants(by, incident, fields, is_said=grants_access)
    if status is not None:
        require_work(by, incident)
    change = IncidentChange(incident, ChangeContext.now(by, origin, at))
    is_moved = status is not None and status != incident.status
    _apply(change, fields, note="" if is_moved else note)
    if status is not None:
        move_to(change, status, note)
    return change.save()


@unit_of_work
def revert(
    number: int,
    *,
    by: By,
    fields: dict[str, Any],
    statuses: Sequence[str] = (),
    note: str = "",
    origin: str = Origin.API,
    expected_versions: Collection[int] | None = None,
) -> Incident:
    """Set fields back, and move back through `statuses`, as one change; the note goes where one is needed.

    Raises as `update`.
    """
    incident = lock_for(number, by, expected_versions=expected_versions)
    require_work(by, incident)
    _require_grants(by, incident, fields, is_said=True)
    change = IncidentChange(incident, ChangeContext.now(by, origin))
    _apply(change, fields, note="")
    for status in statuses:
        action = action_between(incident.status, status)
        move_to(change, status, note if action is not None and action.needs_note else "")
    return change.save()


def _locked(incident: Incident | int, by: By, expected_versions: Collection[int] | None) -> Incident:
    if isinstance(incident, Incident):
        return lock(incident, expected_versions=expected_versions)
    return lock_for(incident, by, expected_versions=expected_versions)


def _require_grants(by: By, incident: Incident, fields: dict[str, Any], *, is_said: bool) -> None:
    """Refuse to grant access unless `by` may, and confirms it."""
    if not incident.is_restricted:
        return
    if fields.get("is_restricted") is False:
        require_grant(by, incident, "every responder", is_said=is_said)
    team, assignee = fields.get("team"), fields.get("assignee")
    if team is not None and team.pk != incident.team_id:
        require_grant(by, incident, f"the team {team.name}", is_said=is_said)
    if assignee is not None and users_gaining_access([assignee.pk], incident):
        require_grant(by, incident, assignee.name, is_said=is_said)


def assign_team(incident: Incident, team: Team | None, *, by: By, note: str = "", origin: str = Origin.API) -> Incident:
    return update(incident, by=by, fields={"team": team}, note=note, origin=origin)


def assign_person(
    incident: Incident, assignee: User | None, *, by: By, note: str = "", origin: str = Origin.API
) -> Incident:
    return update(incident, by=by, fields={"assignee": assignee}, note=note, origin=origin)


def _apply(change: IncidentChange, fields: dict[str, Any], note: str) -> None:
    incident = change.incident
    refuse_future("occurred_at", fields.get("occurred_at"), change.context.at)
    _require_active_choices(change, fields)
    for name in PLAIN_FIELDS:
        if name in fields and getattr(incident, name) != fields[name]:
            change.apply(EventKind.FIELD_CHANGED, {name: fields[name]})
    if "services" in fields:
        _set_services(change, list(fields["services"]))
    if "severity" in fields or "category" in fields:
        severity = Severity(fields.get("severity", incident.severity))
        set_severity(change, severity, moves_priority="priority" not in fields)
    if "priority" in fields:
        _set_priority(change, fields["priority"])
    if "team" in fields and incident.team_id != _id(fields["team"]):
        change.apply(EventKind.TEAM_CHANGED, {"team": fields["team"]}, body=note)
        note = ""
    if "assignee" in fields and incident.assignee_id != _id(fields["assignee"]):
        require_can_respond(fields["assignee"])
        change.apply(EventKind.ASSIGNEE_CHANGED, {"assignee": fields["assignee"]}, body=note)
        note = ""
    if note.strip() and change.events:
        change.add_event(EventKind.COMMENT, body=note)


def _require_active_choices(change: IncidentChange, fields: dict[str, Any]) -> None:
    """Refuse retired choices that the incident does not have."""
    for name in ("team", "category"):
        if name in fields and getattr(change.incident, f"{name}_id") != _id(fields[name]):
            require_active(fields[name], name)
    retired = [service for service in fields.get("services", ()) if not service.is_active]
    if retired:
        kept = set(change.incident.services.values_list("pk", flat=True))
        require_active(next((service for service in retired if service.pk not in kept), None), "services")


def _id(row: Team | Category | User | None) -> int | None:
    return row.pk if row is not None else None


def _set_services(change: IncidentChange, services: list[Service]) -> None:
    before = sorted(change.incident.services.values_list("slug", flat=True))
    after = sorted({service.slug for service in services})
    if before == after:
        return
    change.incident.services.set(services)
    change.add_event(EventKind.FIELD_CHANGED, data={"changes": {"services": [before, after]}})
    change.columns.add("updated_at")


def set_severity(change: IncidentChange, severity: Severity, *, moves_priority: bool = True) -> None:
    """Set severity, priority and, where the policy changes, targets."""
    incident = change.incident
    is_changed = incident.severity != severity
    tracked: dict[str, Any] = {"severity": severity}
    if is_changed and moves_priority and not incident.is_priority_given:
        tracked["priority"] = Priority(severity)
    if incident.is_still_open and (is_changed or "category" in change.columns):
        incident.sla = policy_values(severity, incident.category)
        change.columns.add("sla")
        holds = holds_since_start(incident)
        tracked["ack_due_at"], tracked["resolve_due_at"] = due_times(incident.sla, incident.clock_started_at, holds)
    if all(getattr(incident, name) == value for name, value in tracked.items()):
        return
    change.apply(EventKind.SEVERITY_CHANGED if is_changed else EventKind.FIELD_CHANGED, tracked)
    if incident.is_still_open:
        _judge_new_targets(change)


def _judge_new_targets(change: IncidentChange) -> None:
    """Mark or clear breaches of moved targets."""
    incident, at = change.incident, change.context.at
    acknowledged_at = at if incident.status == Status.OPEN else acknowledged_since_start(incident)
    resolved_at = incident.paused_at or at
    forgiven = {
        flag: False
        for flag, due, moment in (
            ("ack_breached", incident.ack_due_at, acknowledged_at),
            ("resolve_breached", incident.resolve_due_at, resolved_at),
        )
        if getattr(incident, flag) and not is_missed(due, moment)
    }
    if forgiven:
        change.apply(EventKind.FIELD_CHANGED, forgiven)
    mark_breaches_of(
        change, acknowledged_at=acknowledged_at, resolved_at=resolved_at, resolve_due_at=incident.resolve_due_at
    )
    incident.next_breach_at = next_breach_at(incident)
    change.columns.add("next_breach_at")


def _set_priority(change: IncidentChange, priority: Priority | None) -> None:
    wanted = priority or Priority(change.incident.severity)
    if change.incident.is_priority_given != (priority is not None):
        change.incident.is_priority_given = priority is not None
        change.columns.add("is_priority_given")
    if change.incident.priority != wanted:
        change.apply(EventKind.PRIORITY_CHANGED, {"priority": wanted})
