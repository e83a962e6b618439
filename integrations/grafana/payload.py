"""Grafana: the webhook of its alerting (since version 8), and that of legacy dashboard alerts (up to version 10).

Sources: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/ and
https://grafana.com/docs/grafana/v8.5/alerting/old-alerting/notifications/#webhook. The first is Alertmanager's webhook
and more. The second tells of a rule as a whole: `ruleId` is its identity.
"""

import re
from dataclasses import replace
from typing import Any

from alerts.reading.lists import read_each
from alerts.reading.values import first, json_object, links, objects, severity, state, text, texts
from alerts.updates import Action, AlertUpdate, AlertUpdates
from intake.requests import IntakeError, IntakeRequest
from integrations.alertmanager.payload import update_of

TITLE = "Grafana"
SNIPPET = """\
Alerting → Contact points → New, integration "Webhook":
URL: {url}/intake/{key}/
HTTP method: POST
Send resolved: on ("Disable resolved message" is off)
"""
# Raised by Grafana itself when a rule cannot be evaluated; what the rule is called stands in another label.
_ABOUT_A_RULE = ("DatasourceNoData", "DatasourceError")
# What a rule that is paused or waits to fire says is neither that the condition holds nor that it does not.
_LEGACY_ACTIONS = {
    "ok": Action.RESOLVE,
    "paused": Action.NOTE,
    "pending": Action.NOTE,
    "unknown": Action.NOTE,
    "no_data": Action.FIRE,
}


def parse(request: IntakeRequest) -> AlertUpdates:
    """Return an update for each alert of a group, or one for a legacy rule."""
    body = json_object(request)
    alerts = body.get("alerts")
    if isinstance(alerts, list) and alerts:
        return read_each(alerts, lambda alert: _update(alert, body), lambda bad: {**body, "alerts": bad})
    if first(body.get("ruleId"), body.get("ruleName")):
        return AlertUpdates([_legacy(body)])
    raise IntakeError("The payload has neither a list of alerts nor a ruleId; is this Grafana's webhook?")


def _update(alert: dict[str, Any], group: dict[str, Any]) -> AlertUpdate:
    update = update_of(alert, {**group, "externalURL": ""})
    found = {"values": first(_values(alert.get("values")), alert.get("valueString"))}
    pages = (("Image", alert.get("imageURL")), ("Grafana", group.get("externalURL")))
    return replace(
        update,
        title=_title(update),
        annotations={**update.annotations, **texts(found)},
        links=update.links + links(*pages),
    )


def _title(update: AlertUpdate) -> str:
    name = update.labels.get("alertname", "")
    rule = update.labels.get("rulename", "")
    return f"{name}: {rule}" if update.title == name and name in _ABOUT_A_RULE and rule else update.title


def _values(value: Any) -> str:
    return ", ".join(f"{name} = {said}" for name, said in texts(value).items())


def _legacy(body: dict[str, Any]) -> AlertUpdate:
    said = text(body.get("state")).lower()
    action, is_guess = state(said, _LEGACY_ACTIONS)
    matches = objects(body.get("evalMatches"))
    tags = {**_shared([texts(match.get("tags")) for match in matches]), **texts(body.get("tags"))}
    rule = first(body.get("ruleName"), re.sub(r"^\[[^\]]*\]\s*", "", text(body.get("title"))), "Alert")
    return AlertUpdate(
        action=action,
        fingerprint=first(body.get("ruleId"), rule),
        title=rule,
        description=text(body.get("message")),
        severity=severity(tags.get("severity")),
        labels={"alertname": rule, **tags},
        annotations=texts({"state": said, "values": _measured(matches)}),
        links=links(("Rule", body.get("ruleUrl")), ("Image", body.get("imageUrl"))),
        note=f"Grafana says that the rule is {said}." if action == Action.NOTE else "",
        status_word=said,
        is_guess=is_guess,
    )


def _measured(matches: list[dict[str, Any]]) -> str:
    return ", ".join(f"{first(match.get('metric'), 'value')} = {text(match.get('value'))}" for match in matches)


def _shared(tags: list[dict[str, str]]) -> dict[str, str]:
    if not tags:
        return {}
    return {name: value for name, value in tags[0].items() if all(one.get(name) == value for one in tags)}
