"""The two clocks of an incident, as columns: when it must be acknowledged and resolved, and whether that was missed."""

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
    """The policy for a severity, preferring the one for the category; {} when there is none."""
    found = rows.select(SlaPolicy, "of a case", _policies, severity=severity, category=category.pk if category else 0)
    best = max(found, key=lambda policy: policy.category_id or 0, default=None)
    return best.snapshot() if best else {}


def _policies() -> QuerySet[SlaPolicy]:
    of_all_or_one = [Value(0), Parameter("category")]
    return SlaPolicy.objects.filter(severity=Parameter("severity"), category_key__in=of_all_or_one).order_by()


def due_times(
    values: dict[str, Any], start: dt.datetime, holds: list[sla.Interval]
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """When to have acknowledged and resolved, for a policy's values.

    A calendar in which nothing counts for two years has a mistake in it. That must not keep anybody from reporting
    or resolving, so there is no target then, and the log says so.
    """
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
    """The next due time to watch: neither met, nor missed and marked, nor paused."""
    waiting = []
    if incident.status == Status.OPEN and not incident.ack_breached:
        waiting.append(incident.ack_due_at)
    if incident.is_still_open and incident.status != Status.ON_HOLD and not incident.resolve_breached:
        waiting.append(incident.resolve_due_at)
    return min((due for due in waiting if due is not None), default=None)


def holds_since_start(incident: Incident, until: dt.datetime | None = None) -> list[sla.Interval]:
    """The times on hold since the clocks started, from the timeline; one that still lasts ends at `until`."""
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
    """When somebody acknowledged since the clocks started; `acknowledged_at` is the first time ever."""
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
    """Write one event for each target that these moments miss and that is not marked yet.

    For a clock that stops, the moment is when it stops; for one that still runs, the present.
    """
    incident = change.incident
    if is_missed(incident.ack_due_at, acknowledged_at) and not incident.ack_breached:
        change.apply(EventKind.ACK_BREACHED, {"ack_breached": True})
    if is_missed(resolve_due_at, resolved_at) and not incident.resolve_breached:
        change.apply(EventKind.RESOLVE_BREACHED, {"resolve_breached": True})


def is_missed(due: dt.datetime | None, moment: dt.datetime | None) -> bool:
    """Whether the moment came too late; without a target, or a moment, nothing is missed."""
    return due is not None and moment is not None and moment > due
