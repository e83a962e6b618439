from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from alerts.models import Alert
from alerts.vocabulary import AlertStatus
from incidents.models import Incident


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


def safe_links(links: Iterable[Any]) -> list[tuple[str, str]]:
    """Return (address, text) of web links only."""
    found = []
    for link in links:
        href = str(link.get("href", "")) if isinstance(link, Mapping) else ""
        if _is_web(href):
            found.append((href, str(link.get("text") or href)[:100]))
    return found


def _is_web(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.netloc)
