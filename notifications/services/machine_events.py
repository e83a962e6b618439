"""Events as programs get them, by channels/webhook/schema.json."""

import datetime as dt
from typing import Any

from core.severity import WORD_OF_PRIORITY, WORD_OF_SEVERITY
from incidents.models import Incident, IncidentEvent
from incidents.vocabulary import Visibility
from paging.models import Page

MOST_TEXT = 2000


def event_of(
    incident: Incident,
    *,
    url: str,
    at: dt.datetime,
    event: IncidentEvent | None = None,
    page: Page | None = None,
    is_visible: bool = True,
) -> dict[str, Any]:
    """Return `Message.event`; no more than the reference unless visible."""
    facts: dict[str, Any] = {
        "id": incident.pk,
        "reference": incident.reference,
        "is_restricted": incident.is_restricted,
    }
    data: dict[str, Any] = {"incident": facts, "event": None, "page": None}
    if is_visible:
        facts |= _incident_facts(incident, url)
        data["event"] = _event_facts(event) if event is not None else None
    if page is not None:
        data["page"] = {"why": page.why, "message": page.message if is_visible else "", "target": page.target_name}
    kind = event.kind if event is not None else "paged"
    return {
        "type": f"incident.{kind}",
        "timestamp": text_of(event.occurred_at if event is not None else at),
        "data": data,
    }


def text_of(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _incident_facts(incident: Incident, url: str) -> dict[str, Any]:
    times = ("created_at", "acknowledged_at", "resolved_at", "closed_at")
    stamps = {name: getattr(incident, name) for name in times}
    return {
        "uid": str(incident.uid),
        "title": incident.title,
        "description": incident.description[:MOST_TEXT],
        "status": incident.status,
        "severity": WORD_OF_SEVERITY[incident.severity],
        "priority": WORD_OF_PRIORITY[incident.priority],
        "team": {"id": incident.team_id, "name": incident.team.name} if incident.team is not None else None,
        "origin_system": incident.origin_system,
        "external_id": incident.external_id,
        "url": url,
        **{name: text_of(stamp) if stamp else None for name, stamp in stamps.items()},
    }


def _event_facts(event: IncidentEvent) -> dict[str, Any]:
    is_public = event.visibility == Visibility.PUBLIC
    return {
        "seq": event.seq,
        "kind": event.kind,
        "actor": event.actor_label,
        "occurred_at": text_of(event.occurred_at),
        "visibility": event.visibility,
        # Internal notes stay inside: who reads the other end is not ours to know.
        "body": event.body[:MOST_TEXT] if is_public else "",
        "changes": event.data.get("changes", {}) if is_public else {},
    }
