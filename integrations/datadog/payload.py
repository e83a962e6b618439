"""Datadog's webhooks, whose body is whatever the template in Datadog says; SNIPPET holds the one to paste.

Source: https://docs.datadoghq.com/integrations/webhooks/. Other templates are read where they name their members after
Datadog's variables; a body without a template is read from its title. A monitor with groups is one alert per group.
"""

import re
from typing import Any

from alerts.reading.bodies import read_body
from alerts.reading.tags import labels_of
from alerts.reading.values import first, labels, links, mapping, moment, severity, state, text
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Datadog"
SNIPPET = """\
Integrations → Webhooks → New webhook:
URL: {url}/intake/{key}/
Payload:
{
  "aggreg_key": "$AGGREG_KEY",
  "alert_cycle_key": "$ALERT_CYCLE_KEY",
  "alert_id": "$ALERT_ID",
  "alert_transition": "$ALERT_TRANSITION",
  "alert_priority": "$ALERT_PRIORITY",
  "alert_scope": "$ALERT_SCOPE",
  "alert_status": "$ALERT_STATUS",
  "alert_metric": "$ALERT_METRIC",
  "alert_query": "$ALERT_QUERY",
  "title": "$EVENT_TITLE",
  "message": "$TEXT_ONLY_MSG",
  "hostname": "$HOSTNAME",
  "tags": "$TAGS",
  "link": "$LINK",
  "snapshot": "$SNAPSHOT",
  "date": "$DATE"
}
Then write @webhook-<its name> into the message of each monitor.
"""
# "[P2] [Re-Triggered on {host:db-3}] Disk almost full"
_TITLE = re.compile(r"^(?:\[P\d\]\s*)?\[([A-Za-z -]{2,20})(?: on \{([^\]]*)\})?\]\s*(.*)$", re.DOTALL)
_TRANSITIONS = ("triggered", "warn", "no data", "recovered", "renotify")
_VARIABLE = re.compile(r"\$[A-Z_]+")


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of the monitor, or of the group of it."""
    sent = mapping(read_body(request))
    body = {name.lower().lstrip("$"): value for name, value in sent.items()}
    if not _said(body, "event_title", "alert_title", "title", "aggreg_key", "alert_id", "monitor_id"):
        raise IntakeError("The payload has neither a title nor a monitor; was the template pasted as the payload?")
    return [_update(body)]


def _update(body: dict[str, Any]) -> AlertUpdate:
    title_transition, scope, title = _from_title(_said(body, "event_title", "alert_title", "title"))
    transition = first(_said(body, "alert_transition", "transition"), title_transition).lower()
    scope = first(_said(body, "alert_scope", "scope", "scopes"), scope)
    is_over = state(transition or _said(body, "alert_type"))[0] == Action.RESOLVE
    # A reminder tells of the firing that we know; its date is that of the reminder.
    at = None if transition.startswith("re-") or transition == "renotify" else moment(_said(body, "date"))
    found = _labels(body, scope)
    how_bad = _severity_word(body, found)
    is_guess = bool(transition) and state(transition)[1]
    return AlertUpdate(
        action=Action.RESOLVE if is_over else Action.FIRE,
        status_word=transition,
        is_guess=is_guess,
        severity_word=how_bad,
        fingerprint=_fingerprint(body, scope, title),
        title=first(title, _said(body, "alert_metric"), "Alert in Datadog"),
        description=_said(body, "text_only_msg", "event_msg", "message", "body", "description", "alert_status"),
        severity=severity(how_bad) or ("medium" if transition in ("warn", "re-warn") else ""),
        labels=found,
        annotations=labels(
            transition=transition,
            status=_said(body, "alert_status"),
            query=_said(body, "alert_query", "query"),
        ),
        links=links(("Datadog", _said(body, "link", "url")), ("Snapshot", _said(body, "snapshot"))),
        starts_at=None if is_over else at,
        ends_at=at if is_over else None,
    )


def _fingerprint(body: dict[str, Any], scope: str, title: str) -> str:
    monitor = _said(body, "alert_id", "monitor_id")
    keyed = first(_said(body, "aggreg_key", "aggregation_key"), _said(body, "alert_cycle_key", "cycle_key"))
    return first(keyed, ":".join(filter(None, (monitor or title, scope))))


def _severity_word(body: dict[str, Any], found: dict[str, str]) -> str:
    priority = _said(body, "alert_priority", "priority")
    word = f"p{priority}" if priority.isdigit() else priority
    return word if severity(word) else first(found.get("severity"), word)


def _labels(body: dict[str, Any], scope: str) -> dict[str, str]:
    monitor = labels(monitor=_said(body, "alert_id", "monitor_id"), metric=_said(body, "alert_metric"))
    host = labels(host=_said(body, "hostname", "host"))
    return {**host, **labels_of(body.get("tags")), **labels_of(scope), **monitor}


def _from_title(title: str) -> tuple[str, str, str]:
    match = _TITLE.match(title)
    if match is None or match[1].lower().removeprefix("re-") not in _TRANSITIONS:
        return "", "", title
    return match[1], match[2] or "", match[3] or title


def _said(body: dict[str, Any], *names: str) -> str:
    found = (_joined(body.get(name)) for name in names)
    return next((said for said in found if said and said != "null" and not _VARIABLE.fullmatch(said)), "")


def _joined(value: Any) -> str:
    return ",".join(map(text, value)) if isinstance(value, list) else text(value)
