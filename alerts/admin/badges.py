from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from alerts.models import Alert
from alerts.services.links import safe_links
from alerts.vocabulary import AlertStatus
from incidents.models import Incident

__all__ = ["alert_badge", "incident_link", "marks", "safe_links"]


def alert_badge(alert: Alert) -> SafeString:
    """Return its status as a coloured word."""
    colour = "open" if alert.status == AlertStatus.FIRING else "resolved"
    return format_html('<span class="ir-badge ir-status-{}">{}</span>', colour, AlertStatus(alert.status).label)


def marks(alert: Alert) -> SafeString:
    """Return flapping, silenced and the like as badges."""
    words = [(gettext("flapping"), alert.is_flapping), (gettext("silenced"), alert.silenced_by_id is not None)]
    badges = ((word,) for word, is_so in words if is_so)
    return format_html_join(" ", '<span class="ir-badge ir-status-on_hold">{}</span>', badges)


def incident_link(incident: Incident | None) -> SafeString | str:
    """Return a link to its incident."""
    if incident is None:
        return ""
    url = reverse("admin:incidents_incident_change", args=[incident.pk])
    return format_html('<a class="ir-link ir-nowrap" href="{}">{}</a>', url, incident.reference)
