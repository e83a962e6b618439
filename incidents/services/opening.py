"""Open incidents: reported, raised by alerts, or imported."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.api.times import refuse_future
from core.db import rows
from core.db.transactions import unit_of_work
from core.errors import DomainError, PermissionRefused
from core.severity import Priority, Severity
from core.text.names import one_line
from incidents import audit, search
from incidents.actors import Actor, By
from incidents.attachments import Checked
from incidents.digest import opening_head
from incidents.models import Category, EventKind, Incident, Origin, Subscription
from incidents.services import attaching, report_rules
from incidents.services.clocks import due_times, policy_values
from incidents.services.recording import HISTORY_COLUMNS, ChangeContext, IncidentChange, call_participants, row_digest
from incidents.services.report_rules import Report
from incidents.snapshot import initial_changes
from responders.models import Service, Team
from users.models import User

UNTITLED = "Untitled"  # a title of control characters only


@dataclass(frozen=True)
class NewIncident:
    """A new incident as told; `data` are further facts of its first event.

    Without `team` it goes to a rule's (see `incidents.rules`), its first service's, its category's or the default one,
    unless `finds_team` is false; without `severity` it gets a rule's, else medium. `is_report` false: no rule is asked.
    """

    title: str
    description: str = ""
    severity: Severity | None = None
    priority: Priority | None = None
    category: Category | None = None
    location: str = ""
    services: Sequence[Service] = ()
    team: Team | None = None
    finds_team: bool = True
    is_report: bool = True
    assignee: User | None = None
    is_restricted: bool = False
    occurred_at: dt.datetime | None = None
    origin_system: str = ""
    external_id: str = ""
    files: Sequence[Checked] | attaching.StoredFiles = ()
    data: dict[str, Any] = field(default_factory=dict)
    by: Actor | None = None

    @property
    def severity_or_default(self) -> Severity:
        return self.severity or Severity.MEDIUM


def open_incident(new: NewIncident, *, by: By, origin: str = Origin.API, at: dt.datetime | None = None) -> Incident:
    """Open an incident with its files, reported by `by` (None: the system).

    Raises PermissionRefused when a reporter sets team, assignee or priority, DomainError for a retired choice or an
    assignee who cannot respond, StorageUnavailable.
    """
    reporter = Actor.of(by).user
    if reporter is not None and not reporter.is_staff and (new.team or new.assignee or new.priority):
        raise PermissionRefused(_("Only responders and administrators can set team, assignee and priority."))
    if new.assignee is not None:
        require_can_respond(new.assignee)
    for row, name in ((new.team, "team"), (new.category, "category"), *((one, "services") for one in new.services)):
        if row is not None:
            require_active(row, name)
    if isinstance(new.files, attaching.StoredFiles) or not new.files:
        return open_many([new], by=by, origin=origin, at=at)[0]
    with attaching.kept(new.files) as stored:
        return open_many([replace(new, files=stored or ())], by=by, origin=origin, at=at)[0]


@unit_of_work
def open_many(
    news: Sequence[NewIncident], *, by: By = None, origin: str, at: dt.datetime | None = None
) -> list[Incident]:
    """Open incidents in order and few statements; their files must be stored.

    Only people's are audited and followed by their reporter.
    """
    context = ChangeContext.now(by, origin, at)
    books: dict[int, report_rules.RuleBook] = {}
    news = [_routed(new, books) for new in news]
    policies: dict[tuple[int, int], dict[str, Any]] = {}
    teams: dict[tuple[int, ...], Team | None] = {}
    changes = []
    for new in news:
        if new.occurred_at is not None:
            refuse_future("occurred_at", new.occurred_at, context.at)
        category_id = new.category.pk if new.category else 0
        severity = new.severity_or_default
        case = (severity, category_id)
        if case not in policies:
            policies[case] = policy_values(severity, new.category)
        team, answering = new.team, (category_id, new.is_restricted, *(service.pk for service in new.services))
        if team is None and new.finds_team:
            if answering not in teams:
                teams[answering] = default_team(new.services, new.category, is_restricted=new.is_restricted)
            team = teams[answering]
        change = IncidentChange(_incident(new, context, policies[case], team), context)
        slugs = {service.slug for service in new.services}
        data = {**new.data, "changes": initial_changes(change.incident, slugs)}
        change.add_event(EventKind.CREATED, data=data, by=new.by)
        changes.append(change)
    incidents = [change.incident for change in changes]
    insert_new(changes, [new.files if isinstance(new.files, attaching.StoredFiles) else None for new in news])
    _insert_related(incidents, news, context)
    call_participants(changes)
    return incidents


def insert_new(changes: Sequence[IncidentChange], files: Sequence[attaching.StoredFiles | None] = ()) -> None:
    """Insert new incidents with files, sealed events and search documents."""
    incidents = [change.incident for change in changes]
    heads = [opening_head(str(incident.uid)) for incident in incidents]
    for incident, head in zip(incidents, heads, strict=True):
        incident.head_digest = head
        incident.row_digest = row_digest(incident, None)
    rows.insert(*incidents)
    for change, stored in zip(changes, files, strict=bool(files)):
        if stored is not None:
            attaching.add_files(change, stored)
    for change in changes:
        change.seal()
    longer = [one for one, head in zip(incidents, heads, strict=True) if one.head_digest != head]
    rows.update_many(longer, HISTORY_COLUMNS)
    rows.insert(*(event for change in changes for event in change.events))
    search.index_incidents(*incidents)


def _incident(new: NewIncident, context: ChangeContext, policy: dict[str, Any], team: Team | None) -> Incident:
    ack_due_at, resolve_due_at = due_times(policy, context.at, [])
    system = new.origin_system or str(context.origin)
    severity = new.severity_or_default
    return Incident(
        title=one_line(new.title) or UNTITLED,
        description=new.description,
        severity=severity,
        priority=new.priority or Priority(severity),
        is_priority_given=new.priority is not None,
        category=new.category,
        location=new.location,
        team=team,
        assignee=new.assignee,
        reporter=context.actor.user,
        is_restricted=new.is_restricted,
        origin_system=system,
        external_id=new.external_id,
        external_key=external_key(system, new.external_id) if new.external_id else None,
        occurred_at=new.occurred_at or context.at,
        created_at=context.at,
        updated_at=context.received_at,
        sla=policy,
        clock_started_at=context.at,
        ack_due_at=ack_due_at,
        resolve_due_at=resolve_due_at,
        next_breach_at=min((due for due in (ack_due_at, resolve_due_at) if due), default=None),
    )


def _insert_related(incidents: Sequence[Incident], news: Sequence[NewIncident], context: ChangeContext) -> None:
    through = Incident.services.through
    pairs = [
        (one, service) for one, new in zip(incidents, news, strict=True) for service in dict.fromkeys(new.services)
    ]
    rows.insert(*(through(incident=incident, service=service) for incident, service in pairs))
    reporter = context.actor.user
    if reporter is not None:
        for incident in incidents:
            audit.record_creation(incident, reporter)
        rows.insert(*(Subscription(incident=one, user=reporter, created_at=context.at) for one in incidents))


def external_key(origin_system: str, external_id: str) -> str:
    """Return the SHA-256 of an identity in another system."""
    return hashlib.sha256(f"{origin_system}\0{external_id}".encode()).hexdigest()


def require_can_respond(assignee: User | None) -> None:
    """Refuse an assignee who cannot respond."""
    if assignee is not None and not assignee.is_staff:
        raise DomainError(_("%(assignee)s is not an active responder.") % {"assignee": assignee.name}, field="assignee")


def require_active(row: Team | Category | Service | None, field: str) -> None:
    """Refuse a retired choice."""
    if row is not None and not row.is_active:
        raise DomainError(_("%(row)s is retired; choose another.") % {"row": row.name}, field=field)


def default_team(services: Sequence[Service], category: Category | None, *, is_restricted: bool = False) -> Team | None:
    """Return the first service's team, the category's, or (unless restricted) the default one."""
    if (team := report_rules.own_team(services, category)) is not None or is_restricted:
        return team
    return next(iter(rows.select(Team, "default", _default_teams)), None)


def _default_teams() -> QuerySet[Team]:
    return Team.objects.filter(is_default=True, is_active=True).order_by("pk")


def _routed(new: NewIncident, books: dict[int, report_rules.RuleBook]) -> NewIncident:
    """Let the rules for reports say what the report does not; `books` keeps them, by the report's own team."""
    finds_team = new.team is None and new.finds_team
    if not new.is_report or not (finds_team or new.severity is None):
        return new
    report = Report(new.title, new.description, new.location, new.category, new.services, new.is_restricted)
    own = report_rules.own_team_id(new.services, new.category) or 0
    if own not in books:
        books[own] = report_rules.load_rules(report)
    found = books[own].decide(report)
    by_team, by_severity = found.decision.team, found.decision.severity
    suggested = Severity(by_severity.severity) if by_severity and by_severity.severity else None
    said: dict[str, Any] = {}
    if finds_team and by_team is not None and found.because == "rule":
        said["team"] = {"id": by_team.id, "name": by_team.name}
    if new.severity is None and by_severity is not None:
        said["severity"] = {"id": by_severity.id, "name": by_severity.name}
    return replace(
        new,
        team=found.team if finds_team else new.team,
        finds_team=False,
        severity=new.severity or suggested,
        data={**new.data, "rules": said} if said else new.data,
    )
