"""Events of timelines as programs get them; notifications/channels/webhook/schema.json describes the form."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects

from core.severity import WORD_OF_PRIORITY, WORD_OF_SEVERITY
from incidents.models import Incident, IncidentEvent
from incidents.vocabulary import Visibility


def event_of(event: IncidentEvent) -> dict[str, Any]:
    """Return an event for `Message.event`."""
    return events_of([event])[0]


def events_of(events: Sequence[IncidentEvent]) -> list[dict[str, Any]]:
    """Return events for `Message.event`, in a fixed number of queries."""
    incidents = [event.incident for event in events]
    prefetch_related_objects(incidents, "team", "assignee", "services")
    return [
        {
            "type": f"incident.{event.kind}",
            "timestamp": _text(event.occurred_at),
            "incident": _serialize_incident(event.incident),
            "event": _serialize_event(event),
        }
        for event in events
    ]


def _serialize_incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.pk,
        "uid": str(incident.uid),
        "reference": f"INC-{incident.pk}",
        "title": incident.title,
        "status": incident.status,
        "severity": WORD_OF_SEVERITY[incident.severity],
        "priority": WORD_OF_PRIORITY[incident.priority],
        "team": incident.team.name if incident.team else None,
        "services": sorted(service.slug for service in incident.services.all()),
        "assignee": incident.assignee.name if incident.assignee else None,
        "source": incident.origin_system,
        "created_at": _text(incident.created_at),
        "acknowledged_at": _text(incident.acknowledged_at),
        "resolved_at": _text(incident.resolved_at),
        "url": f"{settings.PUBLIC_URL.rstrip('/')}/api/v1/incidents/{incident.pk}/",
    }


def _serialize_event(event: IncidentEvent) -> dict[str, Any]:
    is_public = event.visibility == Visibility.PUBLIC
    return {
        "seq": event.seq,
        "kind": event.kind,
        "occurred_at": _text(event.occurred_at),
        "actor": event.actor_label,
        "visibility": event.visibility,
        # Internal notes stay inside: who reads the other end is not ours to know.
        "body": event.body if is_public else "",
        "changes": event.data.get("changes", {}) if is_public else {},
    }


def _text(moment: dt.datetime | None) -> str | None:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if moment else None
