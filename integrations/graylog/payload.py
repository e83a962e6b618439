"""Graylog: HTTP notifications of events (since version 3.1), and the alarm callbacks before them.

Source: https://go2docs.graylog.org/current/interacting_with_your_log_data/notifications.html. Graylog never says that
something is over. The identity is the event definition with the event's key, or the alert condition.
"""

from typing import Any

from alerts.reading.values import first, json_object, labels, mapping, moment, objects, severity, text, texts
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Graylog"
SNIPPET = """\
Alerts → Notifications → Create, type "HTTP Notification":
URL: {url}/intake/{key}/
Then add it to each event definition.
"""
_PRIORITIES = {"0": "low", "1": "low", "2": "medium", "3": "high", "4": "critical"}


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of the event, or of the condition of an alarm callback."""
    body = json_object(request)
    if mapping(body.get("event")):
        return [_event(body, mapping(body["event"]))]
    if mapping(body.get("check_result")):
        return [_callback(mapping(body["check_result"]), mapping(body.get("stream")))]
    raise IntakeError("The payload has neither an event nor a check_result; is this Graylog's notification?")


def _event(body: dict[str, Any], event: dict[str, Any]) -> AlertUpdate:
    definition = first(event.get("event_definition_id"), body.get("event_definition_id"))
    title = text(body.get("event_definition_title"))
    key, grouped = _key(event), texts(event.get("group_by_fields"))
    return AlertUpdate(
        fingerprint=":".join(filter(None, (definition or title, key))),
        title=first(event.get("message"), title, "Event in Graylog"),
        description=first(*_said(body.get("backlog")), body.get("event_definition_description")),
        severity=severity(event.get("priority"), _PRIORITIES),
        severity_word=text(event.get("priority")),
        labels={
            **texts(event.get("fields")),
            **grouped,
            **labels(event_definition=title, key=key, source=event.get("source")),
        },
        annotations=labels(
            about=body.get("event_definition_description"),
            query=mapping(event.get("replay_info")).get("query"),
            event_id=event.get("id"),
        ),
        starts_at=moment(event.get("timestamp")),
        may_never_end=True,
    )


def _key(event: dict[str, Any]) -> str:
    parts = event.get("key_tuple")
    if isinstance(parts, list) and parts:
        return "|".join(map(text, parts))
    grouped = texts(event.get("group_by_fields"))
    return first(event.get("key"), "|".join(f"{name}={value}" for name, value in sorted(grouped.items())))


def _callback(result: dict[str, Any], stream: dict[str, Any]) -> AlertUpdate:
    condition = mapping(result.get("triggered_condition"))
    name = first(condition.get("title"), condition.get("type"))
    is_over = result.get("triggered") is False
    at = moment(result.get("triggered_at"))
    return AlertUpdate(
        action=Action.RESOLVE if is_over else Action.FIRE,
        fingerprint=":".join(filter(None, (text(stream.get("id")), first(condition.get("id"), name)))),
        title=first(result.get("result_description"), name, "Alert in Graylog"),
        description=first(*_said(result.get("matching_messages")), condition.get("description")),
        labels=labels(stream=stream.get("title"), condition=name),
        annotations=labels(condition=condition.get("description"), about=stream.get("description")),
        starts_at=None if is_over else at,
        ends_at=at if is_over else None,
    )


def _said(messages: Any) -> list[str]:
    found = [text(message.get("message")) for message in objects(messages)[:5]]
    return ["\n".join(filter(None, found))] if found else []
