"""Opsgenie's Alert API.

Source: https://docs.opsgenie.com/docs/alert-api. The endpoint notes other actions under `:action` and `:alias` in the
headers, names that no sender can send.
"""

import uuid
from dataclasses import replace
from typing import Any

from alerts.reading.fingerprints import computed
from alerts.reading.forms import pairs
from alerts.reading.tags import labels_of
from alerts.reading.values import first, json_object, labels, mapping, objects, severity, text, texts
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Opsgenie Alert API"
SNIPPET = """\
API URL: {url}
API key: {key}
"""

ACTION, ALIAS = ":action", ":alias"
CREATE = "create"

# actions for the timeline only: path ("-": removed), quoted field, words
ACTIVITIES = {
    "unacknowledge": ("", "The acknowledgement was taken back"),
    "snooze": ("endTime", "Snoozed until"),
    "escalate": ("escalation", "Escalated to"),
    "assign": ("owner", "Assigned to"),
    "responders": ("responder", "Responder added:"),
    "teams": ("team", "Team added:"),
    "tags": ("tags", "Tags added:"),
    "-tags": ("tags", "Tags removed:"),
    "details": ("details", "Details added:"),
    "-details": ("keys", "Details removed:"),
    "priority": ("priority", "Priority changed to"),
    "message": ("message", "Message changed to"),
    "description": ("description", "Description changed to"),
}
CUSTOM = "actions/"  # custom actions

PRIORITIES = {"p1": "critical", "p2": "high", "p3": "medium", "p4": "low", "p5": "low"}


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return a request's updates. Raises IntakeError (422) without a message."""
    action = request.headers.get(ACTION, CREATE)
    if action != CREATE:
        body = json_object(request) if request.body.strip() else {}
        return acted(action, request.headers.get(ALIAS, ""), {**pairs(request.query), **body})
    body = json_object(request)
    if not text(body.get("message")):
        raise IntakeError("The message can not be empty.", status=422)
    return [update_of(body)]


def with_alias(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the request with its alias, or a new one."""
    given = text(body.get("alias"))
    if given:
        return body, given
    made = str(uuid.uuid4())
    return {**body, "alias": made}, made


def update_of(body: dict[str, Any]) -> AlertUpdate:
    """Return a creation's update; responders are shown, routes decide."""
    details, actions = texts(body.get("details")), body.get("actions")
    own = labels(entity=body.get("entity"), source=body.get("source"), severity=body.get("priority"))
    return AlertUpdate(
        title=text(body.get("message")),
        fingerprint=text(body.get("alias")) or computed(body.get("message"), body.get("entity"), body.get("source")),
        severity=severity(first(body.get("priority"), "P3"), PRIORITIES),
        description=text(body.get("description")),
        labels={**labels_of(body.get("tags")), **details, **own},
        annotations=labels(
            responders=_names(body.get("responders")),
            visible_to=_names(body.get("visibleTo")),
            actions=", ".join(map(text, actions)) if isinstance(actions, list) else actions,
            note=body.get("note"),
            user=body.get("user"),
        ),
    )


def acted(action: str, alias: str, said: dict[str, Any]) -> list[AlertUpdate]:
    """Return an action's updates. Raises IntakeError (422) for an empty note."""
    if action == "acknowledge":
        return [acknowledged(alias, said)]
    if action == "notes":
        return [noted(alias, said)]
    if action in ("close", "delete"):
        note = [noted(alias, said)] if text(said.get("note")) else []
        return [closed(alias, {**said, "note": ""}), *note]  # once, and also where it is closed
    parts = (activity_of(action, said), text(said.get("note")))
    comment = noted(alias, {**said, "note": ". ".join(part for part in parts if part)})
    if action == "priority":
        word = text(said.get("priority"))
        comment = replace(comment, severity=severity(word, PRIORITIES), severity_word=word)
    return [comment]


def activity_of(action: str, said: dict[str, Any]) -> str:
    """Describe an action that changes nothing here."""
    if action.startswith(CUSTOM):
        return f"Action run: {action.removeprefix(CUSTOM)}"
    field, words = ACTIVITIES[action]
    return f"{words} {_listed(said.get(field))}".strip()


def closed(alias: str, body: Any) -> AlertUpdate:
    """Return a close action's update."""
    return _acted(Action.RESOLVE, alias, body)


def acknowledged(alias: str, body: Any) -> AlertUpdate:
    """Return an acknowledge action's update."""
    return _acted(Action.ACKNOWLEDGE, alias, body)


def noted(alias: str, body: Any) -> AlertUpdate:
    """Return a note's update. Raises IntakeError (422) without one."""
    if not text(mapping(body).get("note")):
        raise IntakeError("The note can not be empty.", status=422)
    return _acted(Action.NOTE, alias, body)


def _acted(action: Action, alias: str, body: Any) -> AlertUpdate:
    said = mapping(body)
    return AlertUpdate(
        title=alias,
        action=action,
        fingerprint=alias,
        note=text(said.get("note")),
        user=first(said.get("user"), said.get("source")),
    )


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(text, value))
    if isinstance(value, dict):
        return _names([value]) or ", ".join(f"{name} = {said}" for name, said in texts(value).items())
    return text(value)


def _names(value: Any) -> str:
    return ", ".join(
        first(one.get("name"), one.get("username"), one.get("id")) for one in objects(value) if len(one) > 0
    )
