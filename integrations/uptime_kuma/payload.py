"""Uptime Kuma's webhook: JSON, the form field `data`, or a GET with the same in its query.

Source: server/notification-providers/webhook.js of https://github.com/louislam/uptime-kuma. `heartbeat` and `monitor`
are null in a test message and a certificate warning. Times are UTC without saying so; a reminder (`important` is false)
carries the time of its own check.
"""

import re
from typing import Any

from alerts.reading.forms import form, pairs
from alerts.reading.tags import labels_of
from alerts.reading.values import first, json_object, labels, links, mapping, moment, severity, text
from alerts.updates import Action, AlertUpdate
from core.text.encodings import unmarked
from intake.requests import IntakeError, IntakeRequest, exact_json

TITLE = "Uptime Kuma"
SNIPPET = """\
Settings → Notifications → Setup Notification, type "Webhook":
Post URL: {url}/intake/{key}/
Request Body: Preset - application/json
"""
_ACTIONS = {"0": Action.FIRE, "1": Action.RESOLVE, "2": Action.NOTE, "3": Action.NOTE}
_NOTES = {"2": "Uptime Kuma is checking again.", "3": "It is under maintenance, says Uptime Kuma."}


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of the monitor; none for a test message."""
    body = _body(request)
    heartbeat, monitor = mapping(body.get("heartbeat")), mapping(body.get("monitor"))
    if heartbeat:
        return [_update(heartbeat, monitor)]
    said = text(body.get("msg"))
    if not said:
        raise IntakeError("The payload has neither a heartbeat nor a msg; is this Uptime Kuma's webhook?")
    return [] if said.endswith("Testing") else [_warning(said)]


def _body(request: IntakeRequest) -> dict[str, Any]:
    if not request.body:
        fields = pairs(request.query)
    elif unmarked(request.body).lstrip()[:1] in (b"{", b"[") or request.media_type == "application/json":
        return json_object(request)
    else:
        fields = form(request)
    if "data" in fields:
        return mapping(_json(fields["data"]))
    return {**fields, **{name: _json(fields[name]) for name in ("heartbeat", "monitor") if name in fields}}


def _json(said: str) -> Any:
    return exact_json(said.encode("utf-8", "replace")) if said.strip() else None


def _update(heartbeat: dict[str, Any], monitor: dict[str, Any]) -> AlertUpdate:
    status = text(heartbeat.get("status"))
    is_guess = status not in _ACTIONS
    action = _ACTIONS.get(status, Action.NOTE)
    is_reminder = heartbeat.get("important") == 0  # or false, which equals it
    at = None if is_reminder else moment(heartbeat.get("time"))
    name = first(monitor.get("pathName"), monitor.get("name"), "Monitor")
    found = _labels(monitor)
    return AlertUpdate(
        action=action,
        fingerprint=first(heartbeat.get("monitorID"), heartbeat.get("monitor_id"), monitor.get("id"), name),
        title=": ".join(filter(None, (name, text(heartbeat.get("msg"))))),
        description=first(heartbeat.get("msg"), monitor.get("description")),
        severity=severity(found.get("severity")),
        labels=found,
        annotations=labels(about=monitor.get("description"), ping_ms=heartbeat.get("ping")),
        links=links(("Checked address", monitor.get("url"))),
        starts_at=at if action == Action.FIRE else None,
        ends_at=at if action == Action.RESOLVE else None,
        status_word=status,
        is_guess=is_guess,
        note=_NOTES.get(status, "") if action == Action.NOTE else "",
    )


def _labels(monitor: dict[str, Any]) -> dict[str, str]:
    own = labels(monitor=monitor.get("name"), type=monitor.get("type"), host=monitor.get("hostname"))
    return {**labels_of(monitor.get("tags")), **own}


def _warning(said: str) -> AlertUpdate:
    return AlertUpdate(title=said, fingerprint=re.sub(r"\d{1,6} days?", "some days", said), severity="low")
