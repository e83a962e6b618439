"""Move, split and merge alerts between incidents.

Locks as everywhere: alerts, groups, incidents, each by id.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from django.db.models import Q
from django.utils.translation import gettext as _

from alerts.models import Alert, AlertGroup, serialize_alert
from alerts.vocabulary import AlertEventKind, AlertStatus
from core.db import rows
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound
from core.severity import Severity
from incidents.models import Category, EventKind, Incident, IncidentLink, LinkKind, Origin, Status, Visibility
from incidents.permissions import require_grant, require_work, would_disclose
from incidents.services import NewIncident, link, open_incident, resolve
from incidents.services.editing import set_severity
from incidents.services.lifecycle import move_to
from incidents.services.links import note_of_duplicate
from incidents.services.recording import ChangeContext, IncidentChange, lock_many, save_all
from intake.models import Source
from responders.models import Team
from users.models import User

Row = TypeVar("Row", Alert, AlertGroup)
Retirable = TypeVar("Retirable", Team, Category)


@unit_of_work
def move(
    alerts: Iterable[Alert],
    incident: Incident,
    *,
    by: User | None,
    grants_access: bool = False,
    origin: str = Origin.API,
) -> Incident:
    """Put the alerts into the incident, which they reopen when they fire again in time.

    An incident left with resolved alerts only is resolved. Raises PermissionRefused unless `by` works on all
    incidents, NotFound for a deleted one, Conflict for a firing alert into an ended one, or access granted without
    `grants_access`.
    """
    locked = _lock_alerts(alerts)
    incidents = lock_many({incident.pk, *(alert.incident_id for alert in locked if alert.incident_id)})
    target = _present(incidents, incident)
    moving = [alert for alert in locked if alert.incident_id != target.pk]
    for concerned in incidents.values():
        require_work(by, concerned)
    if not target.is_still_open and any(alert.status == AlertStatus.FIRING for alert in moving):
        raise Conflict(
            _("%(target)s has ended, but alerts to be moved are still firing; reopen it first.")
            % {"target": target.reference}
        )
    left = [incidents[pk] for pk in {alert.incident_id for alert in moving if alert.incident_id}]
    shown = _shown_by(left, target, by=by, grants_access=grants_access)
    _move(moving, incidents, target, ChangeContext.now(by, origin), shown=shown)
    return target


@unit_of_work
def split(
    alerts: Iterable[Alert],
    *,
    by: User | None,
    title: str = "",
    grants_access: bool = False,
    origin: str = Origin.API,
) -> Incident:
    """Open an incident with these alerts, as restricted and at most as severe as the one they leave.

    Raises as `move`, and DomainError without alerts.
    """
    locked = _lock_alerts(alerts)
    if not locked:
        raise DomainError(_("Name the alerts to split off."), field="alerts")
    incidents = lock_many({alert.incident_id for alert in locked if alert.incident_id})
    for concerned in incidents.values():
        require_work(by, concerned)
    new = _opened(locked, list(incidents.values()), title, by=by, origin=origin)
    require_work(by, new)
    shown = _shown_by(incidents.values(), new, by=by, grants_access=grants_access)
    _move(locked, {**incidents, **lock_many({new.pk})}, new, ChangeContext.now(by, origin), shown=shown)
    new.refresh_from_db()
    return new


@unit_of_work
def merge(
    incident: Incident, into: Incident, *, by: User | None, grants_access: bool = False, origin: str = Origin.API
) -> Incident:
    """Put an incident's alerts, and its groups' future ones, into another; it becomes a duplicate.

    Raises as `require_mergeable` and `link`.
    """
    locked = _lock(Alert, incident)
    groups = _lock(AlertGroup, incident)
    incidents = lock_many({incident.pk, into.pk})
    # what joined while we waited is in it; nothing more joins
    locked += _lock(Alert, incident, but=locked)
    groups += _lock(AlertGroup, incident, but=groups)
    duplicate, target = _present(incidents, incident), _present(incidents, into)
    require_mergeable(duplicate, target, by=by)
    AlertGroup.objects.filter(pk__in=[group.pk for group in groups]).update(incident=target)
    both = {target.pk: target, duplicate.pk: duplicate}
    shown = _shown_by([duplicate], target, by=by, grants_access=grants_access)
    _move(_with_sources(locked), both, target, ChangeContext.now(by, origin), shown=shown, is_all=True)
    _link(duplicate, target, by=by, grants_access=grants_access, origin=origin)
    target.refresh_from_db()
    return target


def require_mergeable(incident: Incident, into: Incident, *, by: User | None) -> None:
    """Raise DomainError for itself, PermissionRefused, or Conflict for an ended target or another's duplicate."""
    if incident.pk == into.pk:
        raise DomainError(_("An incident cannot be merged into itself."), field="into")
    require_work(by, incident)
    require_work(by, into)
    if not into.is_still_open and incident.is_still_open:
        raise Conflict(
            _("%(into)s has ended, but %(incident)s has not; reopen it first.")
            % {"into": into.reference, "incident": incident.reference}
        )
    links = IncidentLink.objects.filter(incident=incident, kind=LinkKind.DUPLICATE_OF, target__deleted_at=None)
    other = links.exclude(target=into).select_related("target").first()
    if other is not None:
        raise Conflict(
            _("%(incident)s is a duplicate of %(other)s already; merge that one, or remove the link first.")
            % {"incident": incident.reference, "other": other.target.reference}
        )


def _shown_by(left: Iterable[Incident], target: Incident, *, by: User | None, grants_access: bool) -> list[Incident]:
    """Return incidents of which the target shows more than was seen; refuse unless granted."""
    shown = [incident for incident in left if would_disclose(incident, target)]
    for incident in shown:
        require_grant(by, incident, f"whoever sees {target.reference}", is_said=grants_access)
    return shown


def _lock_alerts(alerts: Iterable[Alert]) -> list[Alert]:
    return _with_sources(rows.select_in(Alert, "id", {alert.pk for alert in alerts}, lock=True))


def _lock(model: type[Row], incident: Incident, *, but: Sequence[Row] = ()) -> list[Row]:
    """Lock what belongs to the incident and is not locked yet."""
    found = model._default_manager.filter(incident=incident).values_list("pk", flat=True)
    ids = set(found) - {row.pk for row in but}
    return [row for row in rows.select_in(model, "id", ids, lock=True) if row.incident_id == incident.pk]


def _with_sources(alerts: Sequence[Alert]) -> list[Alert]:
    """Attach sources; a join would lock them too."""
    sources = Source.objects.select_related("team").in_bulk({alert.source_id for alert in alerts})
    for alert in alerts:
        alert.source = sources[alert.source_id]
    return list(alerts)


def _present(incidents: dict[int, Incident], wanted: Incident) -> Incident:
    found = incidents.get(wanted.pk)
    if found is None or found.deleted_at is not None:
        raise NotFound(_("%(wanted)s no longer exists.") % {"wanted": wanted.reference})
    return found


def _opened(alerts: Sequence[Alert], left: Sequence[Incident], title: str, *, by: User | None, origin: str) -> Incident:
    worst = max(alerts, key=lambda alert: (alert.severity, -alert.pk))
    left_by_worst = next((one for one in left if one.pk == worst.incident_id), left[0] if left else None)
    is_restricted = any(one.is_restricted for one in left)
    new = NewIncident(
        title=title.strip() or worst.title,
        description=worst.description,
        severity=Severity(min(worst.severity, left_by_worst.severity) if left_by_worst else worst.severity),
        category=_unless_retired(left_by_worst.category) if left_by_worst else None,
        services=list(left_by_worst.services.active()) if left_by_worst else [],
        team=_unless_retired(left_by_worst.team if left_by_worst else worst.source.team),
        is_restricted=is_restricted,
        is_report=False,
        finds_team=not is_restricted,  # whoever gets it need not see it
        occurred_at=min(alert.starts_at for alert in alerts),
        origin_system=worst.source.kind,
    )
    return open_incident(new, by=by, origin=origin)


def _unless_retired(row: Retirable | None) -> Retirable | None:
    return row if row is not None and row.is_active else None


def _move(
    alerts: Sequence[Alert],
    incidents: dict[int, Incident],
    target: Incident,
    context: ChangeContext,
    *,
    shown: Sequence[Incident] = (),
    is_all: bool = False,
) -> None:
    entries = {pk: IncidentChange(one, context) for pk, one in incidents.items() if one.deleted_at is None}
    arriving = entries[target.pk]
    left = {alert.incident_id: incidents[alert.incident_id] for alert in alerts if alert.incident_id}
    worst = max((_weight(alert, left.get(alert.incident_id or 0)) for alert in alerts), default=0)
    for alert in alerts:
        leaving = entries.get(alert.incident_id or 0)
        from_there = _named_as("from", leaving.incident) if leaving else {}
        if leaving is not None:
            leaving.add_event(AlertEventKind.REMOVED, data={"alert": serialize_alert(alert), **_named_as("to", target)})
        arriving.add_event(AlertEventKind.ADDED, data={"alert": serialize_alert(alert), **from_there})
        alert.incident, alert.silenced_by = target, None
    for incident in shown:
        arriving.add_event(EventKind.ACCESS_GRANTED, data={"of": incident.reference}, visibility=Visibility.INTERNAL)
        if incident.pk in entries:
            facts = {"to": target.reference}
            entries[incident.pk].add_event(EventKind.ACCESS_GRANTED, data=facts, visibility=Visibility.INTERNAL)
    rows.update_many(alerts, ["incident", "silenced_by"])
    if target.is_still_open and worst > target.severity:
        set_severity(arriving, Severity(worst))
    for pk in () if is_all else _without_firing(set(left)):
        if pk in entries and entries[pk].incident.is_still_open:
            move_to(entries[pk], Status.RESOLVED, "")
    save_all(entries.values())


def _named_as(word: str, incident: Incident) -> dict[str, str]:
    return {} if incident.is_restricted else {word: incident.reference}


def _without_firing(incident_ids: Collection[int]) -> list[int]:
    """Return incidents whose alerts are all over, of sources that resolve."""
    holding = Alert.objects.filter(incident__in=incident_ids)
    busy = holding.filter(Q(status=AlertStatus.FIRING) | Q(is_flapping=True) | Q(source__auto_resolve=False))
    ids, busy_ids = (set(alerts.values_list("incident_id", flat=True).distinct()) for alerts in (holding, busy))
    return sorted(pk for pk in ids - busy_ids if pk)


def _weight(alert: Alert, left: Incident | None) -> int:
    """Return an alert's severity, at most its former incident's."""
    if alert.status == AlertStatus.RESOLVED:
        return 0
    return min(alert.severity, left.severity) if left else alert.severity


def _link(duplicate: Incident, target: Incident, *, by: User | None, grants_access: bool, origin: str) -> None:
    known = IncidentLink.objects.filter(incident=duplicate, target=target, kind=LinkKind.DUPLICATE_OF)
    if not known.exists():
        link(duplicate, target, LinkKind.DUPLICATE_OF, by=by, grants_access=grants_access, origin=origin)
    elif duplicate.is_still_open:
        resolve(duplicate, by=by, note=note_of_duplicate(target), origin=origin)
