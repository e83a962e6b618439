"""What webhooks and topics get, by `schema.json`."""

import datetime as dt
import json
from typing import Any

from django.conf import settings

from notifications.channels.port import Message

VERSION = 1
CLOUDEVENTS = "cloudevents"
TYPES = {
    "page": "incident.paged",
    "update": "incident.update",
    "notice": "notice",
    "code": "contact_method.code",
    "test": "test",
}


def body_of(message: Message, identity: str, *, format: str = "") -> tuple[bytes, str]:
    """Return the body and its content type."""
    payload = payload_of(message)
    if format != CLOUDEVENTS:
        return encoded(payload), "application/json"
    event = {
        "specversion": "1.0",
        "id": identity,
        "source": settings.PUBLIC_URL,
        "type": payload["type"],
        "subject": message.reference or None,
        "time": payload["timestamp"],
        "datacontenttype": "application/json",
        "data": {"version": VERSION, **payload["data"]},
    }
    return encoded({name: value for name, value in event.items() if value is not None}), "application/cloudevents+json"


def payload_of(message: Message) -> dict[str, Any]:
    """Return type, timestamp, version and data."""
    event, given = message.event, message.event.get("data", {})
    return {
        "type": event.get("type") or TYPES.get(message.kind, message.kind),
        "timestamp": event.get("timestamp") or _text(message.occurred_at or dt.datetime.now(dt.UTC)),
        "version": VERSION,
        "data": {
            "incident": given.get("incident") or _incident_of(message),
            "event": given.get("event"),
            "page": given.get("page"),
            "message": {
                "kind": message.kind,
                "title": message.title,
                "body": message.body,
                "lines": list(message.lines),
                "importance": message.importance,
                "count": message.count,
                "url": message.url,
                "answer_url": message.answer_url,
            },
        },
    }


def encoded(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _incident_of(message: Message) -> dict[str, Any] | None:
    if message.incident is None:
        return None
    return {
        "id": message.incident,
        "reference": message.reference,
        "status": message.status,
        "severity": message.severity,
        "url": message.url,
    }


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
