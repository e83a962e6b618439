"""PagerDuty's Events API, version 2.

Source: https://developer.pagerduty.com/docs/events-api-v2-overview and PagerDuty/api-schema. A trigger with the
dedup_key of an alert that fires is a repeat, whatever its timestamp: clients put the time of each message there.
"""

import uuid
from typing import Any

from alerts.reading.fingerprints import computed
from alerts.reading.values import first, json_object, labels, links, mapping, moment, objects, severity, text, texts
from alerts.updates import Action, AlertUpdate, Change
from intake.requests import IntakeError, IntakeRequest

TITLE = "PagerDuty Events API v2"
SNIPPET = """\
Replace https://events.pagerduty.com/v2/enqueue by {url}/v2/enqueue, and the routing key by {key}.
"""

SEVERITIES = {"critical": "critical", "error": "high", "warning": "medium", "info": "low"}
ACTIONS = {"trigger": Action.FIRE, "acknowledge": Action.ACKNOWLEDGE, "resolve": Action.RESOLVE}
LONGEST_LABEL = 200


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of an event. Raises IntakeError for what PagerDuty, too, would refuse."""
    body = json_object(request)
    if errors := errors_of(body):
        raise IntakeError(f"Event object is invalid: {'; '.join(errors)}.")
    return [update_of(body)]


def errors_of(body: dict[str, Any]) -> list[str]:
    """Return what is wrong with an event, in PagerDuty's words, the routing key apart."""
    action = text(body.get("event_action"))
    if not action:
        return ["'event_action' is missing or blank"]
    if action not in ACTIONS:
        return ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"]
    if action == "trigger":
        return _errors_of_payload(body.get("payload"))
    return [] if text(body.get("dedup_key")) else ["'dedup_key' is missing or blank"]


def with_dedup_key(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the event with a dedup_key, and that key: its own, or for a trigger a new one, as PagerDuty does."""
    given = text(body.get("dedup_key"))
    if given or text(body.get("event_action")) != "trigger":
        return body, given
    made = uuid.uuid4().hex
    return {**body, "dedup_key": made}, made


def update_of(body: dict[str, Any]) -> AlertUpdate:
    """Return the update of an event that `errors_of` finds nothing wrong with."""
    payload = mapping(body.get("payload"))
    details = _details(payload.get("custom_details"))
    place = labels(**{name: payload.get(name) for name in ("source", "component", "group", "class")})
    key = text(body.get("dedup_key"))
    when = moment(payload.get("timestamp"))
    return AlertUpdate(
        title=first(payload.get("summary"), key),
        action=ACTIONS[text(body.get("event_action"))],
        fingerprint=key or computed(payload.get("summary"), *place.values()),
        severity=severity(payload.get("severity"), SEVERITIES),
        labels={**{name: value for name, value in details.items() if _is_label(value)}, **place}
        | labels(severity=payload.get("severity")),
        annotations={
            **{name: value for name, value in details.items() if not _is_label(value)},
            **labels(client=body.get("client"), timestamp=when.isoformat() if when else payload.get("timestamp")),
        },
        links=_links(body),
    )


def errors_of_change(body: dict[str, Any]) -> list[str]:
    """Return what is wrong with a change event, in PagerDuty's words, the routing key apart."""
    payload = body.get("payload")
    if not isinstance(payload, dict) or not payload:
        return ["'payload' is missing or blank"]
    return [] if text(payload.get("summary")) else ["'payload.summary' is missing or blank"]


def change_of(body: dict[str, Any]) -> Change:
    """Return the change of an event that `errors_of_change` finds nothing wrong with."""
    payload = mapping(body.get("payload"))
    details, origin = _details(payload.get("custom_details")), text(payload.get("source"))
    return Change(
        summary=text(payload.get("summary")),
        origin=origin,
        details=details,
        links=_links(body),
        services=tuple(name for name in (details.get("service", ""), origin) if name),
        occurred_at=moment(payload.get("timestamp")),
    )


def _errors_of_payload(payload: Any) -> list[str]:
    if not isinstance(payload, dict) or not payload:
        return ["'payload' is missing or blank"]
    errors = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source", "severity")
        if not text(payload.get(name))
    ]
    said = text(payload.get("severity")).lower()
    if said and said not in SEVERITIES:
        errors.append(
            "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
        )
    return errors


def _details(value: Any) -> dict[str, str]:
    return texts(value) if isinstance(value, dict) else labels(details=value)


def _is_label(value: str) -> bool:
    return len(value) <= LONGEST_LABEL and "\n" not in value and value[0] not in "[{"


def _links(body: dict[str, Any]) -> tuple[dict[str, str], ...]:
    return links(
        *((first(link.get("text"), "Link"), link.get("href")) for link in objects(body.get("links"))),
        *(
            (first(image.get("alt"), "Image"), first(image.get("href"), image.get("src")))
            for image in objects(body.get("images"))
        ),
        (first(body.get("client"), "Client"), body.get("client_url")),
    )
