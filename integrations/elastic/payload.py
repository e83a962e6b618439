"""Elastic: Kibana's rules by webhook, alone or summarised, and Elasticsearch's watches.

Sources: https://www.elastic.co/guide/en/kibana/current/rule-action-variables.html and
https://www.elastic.co/guide/en/security/current/alert-schema.html. People write the body, with Kibana's variable
names. An alert's id is unique within its rule.
"""

import re
from typing import Any

from alerts.reading.lists import read_each
from alerts.reading.names import plain_texts, said_as
from alerts.reading.tags import labels_of
from alerts.reading.values import labels, links, mapping, moment, objects, severity, state
from alerts.updates import Action, AlertUpdate, AlertUpdates
from intake.requests import IntakeError, IntakeRequest

TITLE = "Elastic, Kibana"
SNIPPET = """\
Stack Management → Connectors → Create connector → Webhook. Method: POST, URL: {url}/intake/{key}/
Header: Content-Type: application/json. In each rule, add it as an action "for each alert", "on status changes":
once for when the condition is met ("Query matched", …) and once for "Recovered", both with this body:
{
  "rule_id": "{{rule.id}}", "rule_name": "{{rule.name}}", "rule_type": "{{rule.type}}",
  "rule_url": "{{rule.url}}", "space": "{{rule.spaceId}}", "tags": "{{rule.tags}}",
  "alert_id": "{{alert.id}}", "action_group": "{{alert.actionGroup}}", "flapping": "{{alert.flapping}}",
  "started": "{{state.start}}", "ended": "{{state.end}}",
  "reason": "{{context.reason}}", "message": "{{context.message}}", "link": "{{context.link}}",
  "severity": "high"
}
"""
_UNFILLED = re.compile(rb'"\s*\{{2,3}\s*(?:rule|alert|context|date)\b')  # the connector's test fills nothing in
_PREFIX = re.compile(r"^(?:kibana|ctx)(?=.)")
_STATES = {"untracked": Action.NOTE}
_GROUPS = {"new": "active", "ongoing": "active", "recovered": "recovered"}
_TELLING = ("critical", "high", "medium", "low", "warning")  # action groups that are severities
_UNGROUPED = ("*", "query matched", "")


def parse(request: IntakeRequest) -> AlertUpdates:
    """Return an update for each alert or watch; none for a connector's test."""
    body = request.json
    return AlertUpdates() if _UNFILLED.search(request.body) else read_each(_items(body), _update)


def _items(body: Any) -> list[Any]:
    if not isinstance(body, dict) or not isinstance(body.get("alerts"), dict):
        return body if isinstance(body, list) else [body]
    common = {name: value for name, value in body.items() if name != "alerts"}
    groups = {name: body["alerts"].get(name) for name in _GROUPS}
    return [
        {"alert.status": _GROUPS[name], **common, **one}
        for name, group in groups.items()
        for one in objects(mapping(group).get("data") if isinstance(group, dict) else group)
    ]


def _update(item: Any) -> AlertUpdate:
    said = {_PREFIX.sub("", name): value for name, value in reversed(plain_texts(item).items())}
    watch, instance = said_as(said, "watchid"), said_as(said, "alertinstanceid", "instanceid")
    # version 7 calls the rule's id so
    rule = said_as(said, "ruleid", "alertruleuuid", *(("alertid",) if instance else ()))
    name = said_as(said, "rulename", "alertrulename", "alertname", "watchname", "name") or watch
    alert = instance or said_as(said, "alertid")
    key = watch or ":".join(filter(None, (rule or name, alert or said_as(said, "alertuuid"))))
    if not key:
        raise IntakeError("The payload has neither a rule_id nor a watch_id; is the action's body our template?")
    word, action, is_guess = _state(said)
    tags = labels_of(said_as(said, "ruletags", "alertruletags", "tags"))
    how_bad = _how_bad(said) or tags.get("severity", "")
    title = said_as(said, "title", "contexttitle") or name or key
    return AlertUpdate(
        title=title if alert.lower() in _UNGROUPED or not name else f"{title}: {alert}",
        action=action,
        fingerprint=key,
        severity=severity(how_bad),
        severity_word=how_bad,
        description=said_as(said, "reason", "contextreason", "alertreason", "message", "contextmessage", "text"),
        labels={
            **tags,
            **labels(
                rule="" if watch else name,
                alert=alert,
                watch=watch,
                space=said_as(said, "space", "spaceid", "rulespaceid"),
                type=said_as(said, "ruletype", "alertrulecategory"),
                host=said_as(said, "hostname", "contexthostname", "host"),
            ),
        },
        annotations=labels(flapping=said_as(said, "flapping", "alertflapping"), value=said_as(said, "contextvalue")),
        links=links(
            ("Alert", said_as(said, "alertdetailsurl", "contextalertdetailsurl", "alerturl")),
            ("Rule", said_as(said, "ruleurl", "url")),
            ("Results", said_as(said, "link", "contextlink", "viewinappurl", "contextviewinappurl")),
        ),
        starts_at=moment(said_as(said, "started", "statestart", "alertstart")),
        ends_at=moment(said_as(said, "ended", "stateend", "alertend")) if action == Action.RESOLVE else None,
        note=f"Kibana says: {word}." if action == Action.NOTE else "",
        status_word=word,
        is_guess=is_guess,
        may_never_end=bool(watch) or said_as(said, "alertruleconsumer") == "siem",
    )


def _state(said: dict[str, str]) -> tuple[str, Action, bool]:
    """Return the status word, its action, and whether it is a guess: only the recovered group has a fixed name."""
    group = said_as(said, "alertactiongroup", "actiongroup", "alertactiongroupname").lower()
    handled = said_as(said, "alertworkflowstatus")
    word = handled if handled not in ("", "open") else said_as(said, "status", "alertstatus", "state")
    if group == "recovered" or not word:
        return word or group, Action.RESOLVE if group == "recovered" else Action.FIRE, False
    return word, *state(word, _STATES)


def _how_bad(said: dict[str, str]) -> str:
    names = (
        "severity",
        "alertseverity",
        "alertruleseverity",
        "ruleseverity",
        "contextruleseverity",
        "metadataseverity",
    )
    group = said_as(said, "alertactiongroup", "actiongroup").lower().rpartition(".")[2]
    return said_as(said, *names) or (group if group in _TELLING else "")
