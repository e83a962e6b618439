"""Compute the targets of an incident, kept as columns."""

import datetime as dt
from typing import Any

import structlog
from django.db.models import QuerySet, Value

from core.db import rows
from core.db.prepared import Parameter
from incidents import sla
from incidents.models import Category, EventKind, Incident, IncidentEvent, SlaPolicy, Status
from incidents.services.recording import IncidentChange

log = structlog.get_logger(__name__)


def policy_values(severity: int, category: Category | None) -> dict[str, Any]:
    """Return the values of the policy for a severity, preferably for the category; {} without one."""
    found = rows.select(SlaPolicy, "of a case", _policies, severity=severity, category=category.pk if category else 0)
    best = max(found, key=lambda policy: policy.category_id or 0, default=None)
    return best.snapshot() if best else {}


def _policies() -> QuerySet[SlaPolicy]:
    of_all_or_one = [Value(0), Parameter("category")]
    return SlaPolicy.objects.filter(severity=Parameter("severity"), category_key__in=of_all_or_one).order_by()


def due_times(
    values: dict[str, Any], start: dt.datetime, holds: list[sla.Interval]
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return when to acknowledge and resolve by; None for both when the calendar never opens, which is logged."""
    calendar = values.get("calendar")
    try:
        return (
            sla.due_at(start, values.get("ack_minutes"), calendar),
            sla.due_at(start, values.get("resolve_minutes"), calendar, holds),
        )
    except sla.CalendarNeverOpens as error:
        log.warning("sla_calendar_never_opens", policy=values.get("policy"), error=str(error))
        return None, None


def next_breach_at(incident: Incident) -> dt.datetime | None:
    """Return the next due time to watch: neither met, nor marked, nor paused."""
    waiting = []
    if incident.status == Status.OPEN and not incident.ack_breached:
        waiting.append(incident.ack_due_at)
    if incident.is_still_open and incident.status != Status.ON_HOLD and not incident.resolve_breached:
        waiting.append(incident.resolve_due_at)
    return min((due for due in waiting if due is not None), default=None)


def holds_since_start(incident: Incident, until: dt.datetime | None = None) -> list[sla.Interval]:
    """Return the times on hold since the clocks started; one that still lasts ends at `until`."""
    events = IncidentEvent.objects.filter(
        incident=incident, kind__in=[EventKind.HELD, EventKind.RESUMED, EventKind.RESOLVED]
    ).order_by("seq")
    holds: list[sla.Interval] = []
    held_from: dt.datetime | None = None
    for kind, at in events.values_list("kind", "occurred_at"):
        if kind == EventKind.HELD:
            held_from = at
        elif held_from is not None:
            holds.append((held_from, at))
            held_from = None
    if held_from is not None and until is not None:
        holds.append((held_from, until))
    # Times that others tell us may run backwards; such a hold held nothing.
    return [(start, end) for start, end in holds if end > max(start, incident.clock_started_at)]


def acknowledged_since_start(incident: Incident) -> dt.datetime | None:
    """Return when the incident was acknowledged since the clocks started."""
    if not incident.reopen_count:
        return incident.acknowledged_at
    events = IncidentEvent.objects.filter(
        incident=incident,
        kind__in=[EventKind.REOPENED, EventKind.ACKNOWLEDGED, EventKind.STARTED, EventKind.RESOLVED],
    ).order_by("seq")
    found: dt.datetime | None = None
    for kind, at in events.values_list("kind", "occurred_at"):
        found = None if kind == EventKind.REOPENED else found or at
    return found


def mark_breaches_of(
    change: IncidentChange,
    *,
    acknowledged_at: dt.datetime | None = None,
    resolved_at: dt.datetime | None = None,
    resolve_due_at: dt.datetime | None = None,
) -> None:
    """Add an event for each target that these moments miss and that is not marked yet.

    The moment is when the clock stops, or now while it runs.
    """
    incident = change.incident
    if is_missed(incident.ack_due_at, acknowledged_at) and not incident.ack_breached:
        change.apply(EventKind.ACK_BREACHED, {"ack_breached": True})
    if is_missed(resolve_due_at, resolved_at) and not incident.resolve_breached:
        change.apply(EventKind.RESOLVE_BREACHED, {"resolve_breached": True})


def is_missed(due: dt.datetime | None, moment: dt.datetime | None) -> bool:
    return due is not None and moment is not None and moment > due
