"""Opening an incident."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from core.actor import acting
from core.api.times import refuse_future
from core.db import rows
from core.db.transactions import unit_of_work
from core.errors import DomainError, PermissionRefused
from core.severity import Priority, Severity
from core.text.names import printable
from incidents import audit, search
from incidents.models import Category, EventKind, Incident, Origin, Subscription
from incidents.services.clocks import due_times, next_breach_at, policy_values
from incidents.services.recording import ChangeContext, IncidentChange, seal_opening, seal_row
from incidents.snapshot import initial_changes
from responders.models import Service, Team
from users.models import User

UNTITLED = "Untitled"  # of a title that held nothing but control characters


@unit_of_work
def report(
    *,
    by: User | None,
    title: str,
    description: str = "",
    severity: Severity = Severity.MEDIUM,
    priority: Priority | None = None,
    category: Category | None = None,
    location: str = "",
    services: Sequence[Service] = (),
    team: Team | None = None,
    finds_team: bool = True,
    assignee: User | None = None,
    is_restricted: bool = False,
    occurred_at: dt.datetime | None = None,
    origin: str = Origin.API,
    origin_system: str = "",
    external_id: str = "",
    at: dt.datetime | None = None,
) -> Incident:
    """Open an incident. Its team is the one given, else the first service's, the category's, or the default one.

    `by` is the reporter (None: a machine); `at` is when it opened. Raises PermissionRefused when a reporter names a
    team, an assignee or a priority, and DomainError when the assignee cannot respond.
    """
    if by is not None and not (by.is_admin or by.is_responder) and (team or assignee or priority):
        raise PermissionRefused("Team, assignee and priority are set by responders and administrators.")
    require_can_respond(assignee)
    services = list(dict.fromkeys(services))
    for row, field in ((team, "team"), (category, "category"), *((service, "services") for service in services)):
        require_active(row, field)
    act = ChangeContext.now(by, origin, at)
    refuse_future("occurred_at", occurred_at, act.at)
    system = origin_system or str(act.origin)
    incident = new_incident(
        act,
        policy_values(severity, category),
        title=title,
        description=description,
        severity=severity,
        priority=priority,
        category=category,
        location=location,
        team=team or (default_team(services, category, is_restricted=is_restricted) if finds_team else None),
        assignee=assignee,
        is_restricted=is_restricted,
        origin_system=system,
        external_id=external_id,
        external_key=external_key(system, external_id) if external_id else None,
        occurred_at=occurred_at or act.at,
    )
    return _insert(incident, services, act)


def new_incident(
    act: ChangeContext,
    policy: dict[str, Any],
    *,
    title: str,
    severity: Severity,
    priority: Priority | None,
    **columns: Any,
) -> Incident:
    """An incident that opens with this act, its clocks set by a policy's values; not stored yet."""
    ack_due_at, resolve_due_at = due_times(policy, act.at, [])
    incident = Incident(
        title=printable(title) or UNTITLED,
        severity=severity,
        priority=priority or Priority(severity),
        is_priority_given=priority is not None,
        reporter=act.by,
        created_at=act.at,
        updated_at=act.received_at,
        sla=policy,
        clock_started_at=act.at,
        ack_due_at=ack_due_at,
        resolve_due_at=resolve_due_at,
        **columns,
    )
    incident.next_breach_at = next_breach_at(incident)
    return incident


def _insert(incident: Incident, services: Sequence[Service], act: ChangeContext) -> Incident:
    """The incident with its first event, its services, its reporter's subscription and its search document."""
    entry = IncidentChange(incident, act)
    changes = initial_changes(incident, [service.slug for service in services])
    event = entry.note(EventKind.CREATED, data={"changes": changes})
    seal_row(incident)
    rows.insert(incident)
    with acting(act.by):
        audit.record_creation(incident)
    seal_opening(incident, [event])
    rows.insert(event)
    through = Incident.services.through
    rows.insert(*(through(incident=incident, service=service) for service in services))
    if incident.reporter_id is not None:
        rows.insert(Subscription(incident=incident, user_id=incident.reporter_id, created_at=act.at))
    search.index(incident)
    return incident


def external_key(origin_system: str, external_id: str) -> str:
    """The identity of an incident in another system: SHA-256 of both names' exact bytes."""
    return hashlib.sha256(f"{origin_system}\0{external_id}".encode()).hexdigest()


def require_can_respond(assignee: User | None) -> None:
    """Only active responders and administrators are given work."""
    if assignee is not None and not (assignee.is_staff):
        raise DomainError(f"{assignee.name} is not an active responder.", field="assignee")


def require_active(row: Team | Category | Service | None, field: str) -> None:
    """Nothing new is given to what was retired."""
    if row is not None and not row.is_active:
        raise DomainError(f"{row.name} is retired; choose another.", field=field)


def default_team(services: Sequence[Service], category: Category | None, *, is_restricted: bool = False) -> Team | None:
    """The team of the first service that has one, else the category's, else the one that gets what nobody else does;
    a restricted incident, which that one need not see, is left to administrators."""
    answering = next((service for service in services if service.team_id is not None), None)
    if answering is not None:
        return answering.team
    if category is not None and category.default_team_id is not None:
        return category.default_team
    if is_restricted:
        return None
    return next(iter(rows.select(Team, "default", _default_teams)), None)


def _default_teams() -> QuerySet[Team]:
    return Team.objects.filter(is_default=True, is_active=True).order_by("pk")
