"""Badges for an incident's status, age and due times."""

import datetime as dt

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.backoffice.badges import span
from incidents.models import Incident, Status
from incidents.sla import overdue_targets


def status_badge(status: str) -> SafeString:
    return format_html('<span class="ir-badge ir-status-{}">{}</span>', status, Status(status).label)


def age(incident: Incident, now: dt.datetime | None = None) -> str:
    """Return how long it has been, or was, open."""
    end = incident.resolved_at or now or timezone.now()
    return span((end - incident.created_at).total_seconds())


def due_mark(incident: Incident, now: dt.datetime | None = None) -> SafeString | str:
    """Return the next target and the time left, or the missed targets."""
    now = now or timezone.now()
    missed = missed_targets(incident, now)
    if missed:
        return format_html('<span class="ir-badge ir-late">{}</span>', " · ".join(missed))
    if not incident.is_still_open:
        return ""
    if incident.status == Status.ON_HOLD:
        return format_html('<span class="ir-badge ir-status-on_hold">{}</span>', _("paused"))
    waiting = [(incident.resolve_due_at, _("resolve"))]
    if incident.status == Status.OPEN:
        waiting.append((incident.ack_due_at, _("acknowledge")))
    dues = sorted((due, what) for due, what in waiting if due is not None)
    if not dues:
        return ""
    due, action = dues[0]
    return _("%(action)s in %(time)s") % {"action": action, "time": span((due - now).total_seconds())}


def missed_targets(incident: Incident, now: dt.datetime) -> list[str]:
    """Return the missed targets, marked or not."""
    missed = []
    is_ack_late, is_resolve_late = overdue_targets(incident.status, incident.ack_due_at, incident.resolve_due_at, now)
    if incident.ack_breached or is_ack_late:
        missed.append(_("acknowledged late") if incident.acknowledged_at else _("acknowledgement overdue"))
    if incident.resolve_breached or is_resolve_late:
        missed.append(_("resolved late") if incident.resolved_at else _("resolution overdue"))
    return missed
