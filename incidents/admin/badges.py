"""How an incident's status, age and due times look."""

import datetime as dt

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.backoffice.badges import span
from incidents.models import Incident, Status
from incidents.sla import overdue_targets


def status_badge(status: str) -> SafeString:
    """Return the status as a coloured word."""
    return format_html('<span class="ir-badge ir-status-{}">{}</span>', status, Status(status).label)


def age(incident: Incident, now: dt.datetime | None = None) -> str:
    """Return how long it has been open, or was."""
    end = incident.resolved_at or now or timezone.now()
    return span((end - incident.created_at).total_seconds())


def due_mark(incident: Incident, now: dt.datetime | None = None) -> SafeString | str:
    """Return the next target and the time left, or the targets missed."""
    now = now or timezone.now()
    missed = missed_targets(incident, now)
    if missed:
        return format_html('<span class="ir-badge ir-late">{}</span>', " · ".join(missed))
    if not incident.is_still_open:
        return ""
    if incident.status == Status.ON_HOLD:
        return format_html('<span class="ir-badge ir-status-on_hold">{}</span>', "paused")
    waiting = [(incident.resolve_due_at, "resolve")]
    if incident.status == Status.OPEN:
        waiting.append((incident.ack_due_at, "acknowledge"))
    dues = sorted((due, what) for due, what in waiting if due is not None)
    return f"{dues[0][1]} in {span((dues[0][0] - now).total_seconds())}" if dues else ""


def missed_targets(incident: Incident, now: dt.datetime) -> list[str]:
    """Return the targets that were missed, marked already or not yet."""
    missed = []
    is_ack_late, is_resolve_late = overdue_targets(incident.status, incident.ack_due_at, incident.resolve_due_at, now)
    if incident.ack_breached or is_ack_late:
        missed.append("acknowledged late" if incident.acknowledged_at else "not acknowledged")
    if incident.resolve_breached or is_resolve_late:
        missed.append("resolved late" if incident.resolved_at else "not resolved")
    return missed
