"""Sentry's integration platform, and the older webhook plugin.

Source: https://docs.sentry.io/organization/integrations/integration-platform/webhooks/. One issue is one alert. The
times of its events are not taken for the beginning.
"""

import datetime as dt
import re
from typing import Any

from alerts.reading.fingerprints import computed
from alerts.reading.signing import check_hmac
from alerts.reading.tags import labels_of
from alerts.reading.values import first, json_object, labels, links, mapping, moment, severity, text
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Sentry"
SNIPPET = """\
Settings, Developer Settings, New Internal Integration
Webhook URL: {url}/intake/{key}/
Alert Rule Action: on. Webhooks: issue. Enter its Client Secret as this source's signing secret.
"""
KEPT_HEADERS = ("sentry-hook-resource", "request-id")

ISSUE_ACTIONS = {
    "created": Action.FIRE,
    "unresolved": Action.FIRE,
    "resolved": Action.RESOLVE,
    "archived": Action.RESOLVE,
    "ignored": Action.RESOLVE,
    "assigned": Action.NOTE,
}
_PROJECT = re.compile(r"/api/0/projects/[^/]{1,100}/([^/]{1,100})/")
_SILENT = {"installation", "comment", "activity_alert"}


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of a hook; none for hooks about other things, such as comments."""
    body = json_object(request)
    data = mapping(body.get("data"))
    resource = request.headers.get("sentry-hook-resource", "") or _guess(data)
    if resource in _SILENT:
        return []
    if resource == "metric_alert" and data.get("metric_alert"):
        return [_metric(body, data)]
    if resource == "issue" and data.get("issue"):
        return _issue(body, mapping(data.get("issue")))
    event = _first_object(data.get("event"), data.get("error"), body.get("event"))
    if not event:
        raise IntakeError("The payload has no issue, event, error or metric alert; is this Sentry?")
    return [_event(event, data, body)]


def verify(request: IntakeRequest, secret: str) -> None:
    """Raise IntakeError (403) unless Sentry signed the body with the client secret, where one is set."""
    check_hmac(request, secret, header="sentry-hook-signature")


def delivery_id(request: IntakeRequest) -> str:
    """Return Sentry's number of the request."""
    return request.headers.get("request-id", "")


def greet(request: IntakeRequest) -> bool:
    """Return whether it only tells that the integration was installed or removed."""
    return request.headers.get("sentry-hook-resource", "") == "installation"


def _first_object(*values: Any) -> dict[str, Any]:
    return next((value for value in values if isinstance(value, dict) and value), {})


def _guess(data: dict[str, Any]) -> str:
    return next((name for name in ("metric_alert", "issue") if name in data and "event" not in data), "")


def _event(event: dict[str, Any], data: dict[str, Any], body: dict[str, Any]) -> AlertUpdate:
    issue = first(event.get("issue_id"), body.get("id") if "event" in body else "")
    title = first(event.get("title"), event.get("message"), body.get("message"), "Event")
    level = first(event.get("level"), body.get("level"))
    project = first(body.get("project_slug"), body.get("project"), event.get("project_name"), _project(event))
    return AlertUpdate(
        title=title,
        fingerprint=f"issue:{issue}" if issue else computed(project, title),
        severity=severity(level),
        description=first(body.get("message"), event.get("message"), event.get("culprit"), body.get("culprit")),
        labels={
            **labels_of(event.get("tags")),
            **labels(project=project, environment=event.get("environment"), severity=level),
            **labels(rule=data.get("triggered_rule")),
        },
        links=links(("Sentry", first(event.get("web_url"), body.get("url")))),
    )


def _issue(body: dict[str, Any], issue: dict[str, Any]) -> list[AlertUpdate]:
    action = ISSUE_ACTIONS.get(text(body.get("action")))
    if action is None:
        return []
    level, project = issue.get("level"), mapping(issue.get("project"))
    actor = text(mapping(body.get("actor")).get("name"))
    assignee = first(mapping(issue.get("assignedTo")).get("name"), "somebody else")
    return [
        AlertUpdate(
            title=first(issue.get("title"), issue.get("metadata"), "Issue"),
            action=action,
            fingerprint=f"issue:{text(issue.get('id'))}",
            severity=severity(level),
            description=text(issue.get("culprit")),
            labels=labels(project=first(project.get("slug"), project.get("name")), severity=level),
            annotations=labels(short_id=issue.get("shortId")),
            links=links(("Sentry", first(issue.get("web_url"), issue.get("permalink")))),
            note=f"Assigned to {assignee} in Sentry." if action == Action.NOTE else "",
            user=actor if action == Action.NOTE else "",
        )
    ]


def _metric(body: dict[str, Any], data: dict[str, Any]) -> AlertUpdate:
    """Return the update of a metric alert. One rule is one alert: a new incident of it fires anew here."""
    alert = mapping(data.get("metric_alert"))
    rule = mapping(alert.get("alert_rule"))
    action = text(body.get("action"))
    is_over = action == "resolved"
    projects = alert.get("projects")
    return AlertUpdate(
        title=first(rule.get("name"), alert.get("title"), data.get("description_title"), "Metric alert"),
        action=Action.RESOLVE if is_over else Action.FIRE,
        fingerprint=f"metric:{first(rule.get('id'), alert.get('id'))}",
        severity="" if is_over else severity(action),
        description=text(data.get("description_text")),
        labels=labels(
            project=", ".join(map(text, projects)) if isinstance(projects, list) else projects,
            environment=rule.get("environment"),
            severity="" if is_over else action,
        ),
        links=links(("Sentry", data.get("web_url"))),
        starts_at=_first_moment(alert.get("date_started"), alert.get("date_detected"), alert.get("date_created")),
        ends_at=moment(alert.get("date_closed")) if is_over else None,
    )


def _project(event: dict[str, Any]) -> str:
    match = _PROJECT.search(text(event.get("url")))
    return match[1] if match else ""


def _first_moment(*values: Any) -> dt.datetime | None:
    return next((found for found in map(moment, values) if found), None)
