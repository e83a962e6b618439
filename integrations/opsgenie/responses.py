"""Responses in Opsgenie's shapes, of what the key's source sent."""

import datetime as dt
import re
import time
import uuid
from typing import Any

from django.utils import timezone

from alerts.models import Alert, AlertQuerySet, Heartbeat
from alerts.routing import alert_key
from alerts.services.heartbeats import raised_here
from alerts.vocabulary import AlertStatus
from core.severity import Severity
from intake.models import IntakeEvent, Source
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.services.queue import delivery_key
from intake.vocabulary import IntakeState
from integrations.opsgenie.payload import ACTION, ALIAS

IDENTIFIERS = ("id", "alias", "tiny")
PRIORITIES = {Severity.CRITICAL: "P1", Severity.HIGH: "P2", Severity.MEDIUM: "P3", Severity.LOW: "P4"}
NO_ALERT = "Alert does not exist"
DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET = 20, 100, 20_000
LARGEST_NUMBER = 2**63 - 1
_QUERY = re.compile(r'(status|alias)\s*[:=]\s*(?:"([^"]*)"|(\S+))', re.IGNORECASE)

# actions' names in request statuses, and their success
OUTCOMES = {
    "create": ("Create", "Created alert"),
    "close": ("Close", "Closed alert"),
    "delete": ("Delete", "Deleted alert"),
    "acknowledge": ("Acknowledge", "Acknowledged alert"),
    "unacknowledge": ("UnAcknowledge", "Unacknowledged alert"),
    "notes": ("AddNote", "Added note"),
}


def accepted(result: str, number: str = "") -> IntakeResponse:
    return IntakeResponse.json(202, {"result": result, "took": 0.0, "requestId": number or str(uuid.uuid4())})


def refusal(status: int, message: str, **headers: str) -> IntakeResponse:
    return IntakeResponse.json(status, {"message": message, "took": 0.0, "requestId": str(uuid.uuid4())}, **headers)


def alert_response(source: Source, kind: str, identifier: str) -> IntakeResponse:
    """Return an alert. Raises IntakeError (404)."""
    started = time.perf_counter()
    alert = find(source, kind, identifier)
    if alert is None:
        raise IntakeError(f"{NO_ALERT}.", status=404)
    details = {
        "actions": [],
        "entity": alert.labels.get("entity", ""),
        "description": alert.description,
        "details": alert.labels,
    }
    return _data({**serialize_alert(alert), **details}, started)


def listed(source: Source, request: IntakeRequest) -> IntakeResponse:
    """Return the alerts, newest first. Raises IntakeError (422) for an unknown filter."""
    started = time.perf_counter()
    alerts = _sent_by(source)
    for name, value in _conditions(request.parameter("query")):
        if name == "alias":
            alerts = alerts.filter(key=alert_key(source.pk, value))
        else:
            alerts = alerts.filter(status=AlertStatus.FIRING if value.lower() == "open" else AlertStatus.RESOLVED)
    offset = _number(request, "offset", 0, MAX_OFFSET)
    limit = _number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    return _data([serialize_alert(alert) for alert in alerts.order_by("-id")[offset : offset + limit]], started)


def outcome(source: Source, number: str) -> IntakeResponse:
    """Return a request's status. Raises IntakeError (404) while it waits."""
    started = time.perf_counter()
    key = delivery_key(source, request_name(number))
    event = IntakeEvent.objects.filter(delivery_key=key).defer("body").first()
    if event is None or event.state == IntakeState.WAITING:
        raise IntakeError("Request not found. It might not be processed, yet.", status=404)
    alias = event.headers.get(ALIAS, "")
    alert = find(source, "alias", alias) if alias else None
    action = event.headers.get(ACTION, "")
    name, success = OUTCOMES.get(action, (action.strip("-").title(), "Done"))
    is_done = event.state == IntakeState.DONE
    data = {
        "success": is_done,
        "isSuccess": is_done,
        "action": name,
        "processedAt": _time(event.processed_at or event.received_at),
        "integrationId": str(source.pk),
        "status": success if is_done else _failure(event, alert),
        "alertId": alert.key if alert else "",
        "alias": alias if alert else "",
    }
    return _data(data, started)


def heartbeat(source: Source, name: str) -> IntakeResponse:
    """Return a heartbeat. Raises IntakeError (404)."""
    started = time.perf_counter()
    found = Heartbeat.objects.filter(source=source, name=name).first()
    if found is None:
        raise IntakeError(f"Heartbeat with name [{name[:100]}] does not exist.", status=404)
    age = timezone.now() - found.last_ping_at
    data = {
        "name": found.name,
        "description": "",
        "interval": found.interval_minutes,
        "intervalUnit": "minutes",
        "enabled": found.is_enabled,
        "expired": found.is_enabled and age > dt.timedelta(minutes=found.interval_minutes or 0),
        "lastPingTime": _time(found.last_ping_at),
    }
    return _data(data, started)


def find(source: Source, kind: str, identifier: str) -> Alert | None:
    """Return an alert by a client's identifier."""
    alerts = _sent_by(source)
    if kind == "alias":
        return alerts.filter(key=alert_key(source.pk, identifier)).first()
    if kind == "id":
        return alerts.filter(key=identifier).first()
    number = int(identifier) if re.fullmatch(r"[0-9]{1,19}", identifier) else LARGEST_NUMBER + 1
    return alerts.filter(pk=number).first() if number <= LARGEST_NUMBER else None


def alias_of(source: Source, kind: str, identifier: str) -> str | None:
    """Return the alias meant, perhaps still queued; None for none."""
    if kind == "alias":
        return identifier
    alert = find(source, kind, identifier)
    if alert is None or alert.key != alert_key(source.pk, alert.fingerprint):
        return None
    return alert.fingerprint


def request_name(number: str) -> str:
    """Return the delivery number of a request."""
    return f"request:{number}"


def serialize_alert(alert: Alert) -> dict[str, Any]:
    """Return an alert for lists; nothing of a restricted incident."""
    incident = None if alert.incident is None or alert.incident.is_restricted else alert.incident
    is_open = alert.status == AlertStatus.FIRING
    is_hidden = alert.incident is not None and incident is None
    return {
        "id": alert.key,
        "tinyId": str(alert.pk),
        "alias": alert.fingerprint,
        "message": alert.title,
        "status": "open" if is_open else "closed",
        "acknowledged": incident is not None and alert.is_acknowledged and is_open,
        "isSeen": incident is not None and alert.is_acknowledged,
        "tags": [],
        "snoozed": alert.silenced_by_id is not None and not is_hidden,
        "count": alert.occurrences,
        "lastOccurredAt": _time(alert.last_seen_at),
        "createdAt": _time(alert.first_seen_at),
        "updatedAt": _time(alert.ends_at or alert.last_seen_at),
        "source": alert.labels.get("source", ""),
        "owner": "",
        "priority": PRIORITIES[Severity(alert.severity)],
        "responders": [],
        "integration": {"id": str(alert.source_id), "name": alert.source.name, "type": "API"},
    }


def _sent_by(source: Source) -> AlertQuerySet:
    alerts: AlertQuerySet = Alert.objects.filter(~raised_here(), source=source)
    return alerts.select_related("source", "incident")


def _failure(event: IntakeEvent, alert: Alert | None) -> str:
    if event.state == IntakeState.IGNORED and alert is None:
        return NO_ALERT
    return event.reason


def _conditions(query: str) -> list[tuple[str, str]]:
    found = [(match[1].lower(), match[2] or match[3] or "") for match in _QUERY.finditer(query)]
    left = re.sub(r"\bAND\b", "", _QUERY.sub("", query), flags=re.IGNORECASE).strip()
    if left or any(name == "status" and value.lower() not in ("open", "closed") for name, value in found):
        raise IntakeError(
            "A query here is status: open, status: closed, alias: …, or two of them.", status=422, is_stored=False
        )
    return found


def _number(request: IntakeRequest, name: str, default: int, most: int) -> int:
    given = request.parameter(name)
    if given and not re.fullmatch(r"[0-9]{1,9}", given):
        raise IntakeError(f"{name} must be a whole number.", status=422, is_stored=False)
    return min(int(given or default), most)


def _time(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def _data(data: Any, started: float) -> IntakeResponse:
    took = round(time.perf_counter() - started, 3)
    return IntakeResponse.json(200, {"data": data, "took": took, "requestId": str(uuid.uuid4())})
