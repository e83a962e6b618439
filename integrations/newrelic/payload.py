"""New Relic: the webhooks of workflows with their default template, and those of the notification channels before.

Sources: https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook and, for the channels,
https://docs.newrelic.com/docs/alerts/new-relic-alerts/advanced-alerts/advanced-techniques/customize-your-webhook-payload/.
The identity is the issue (workflows) or the incident (channels). Times are milliseconds since 1970.
"""

from typing import Any

from alerts.reading.values import (
    first,
    json_object,
    labels,
    links,
    mapping,
    moment,
    objects,
    severity,
    state,
    text,
    texts,
)
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "New Relic"
SNIPPET = """\
Alerts → Destinations → Webhook:
Endpoint URL: {url}/intake/{key}/
Then add it as a channel to a workflow, with the default template.
"""
# An owner that is none.
_NOBODY = ("", "n/a", "none", "null", "unassigned")
_SEVERITIES = {
    "critical": "critical",
    "high": "high",
    "medium": "medium",
    "warning": "medium",
    "low": "low",
    "info": "low",
}


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of the issue or incident."""
    body = json_object(request)
    if first(body.get("current_state"), body.get("incident_id")):
        return [_incident(body)]
    if first(body.get("issueId"), body.get("id"), body.get("issueUrl")):
        return [_issue(body)]
    raise IntakeError("The payload has neither an incident_id nor an issue; is this New Relic's webhook?")


def _incident(body: dict[str, Any]) -> AlertUpdate:
    action, is_guess = state(body.get("current_state"))
    at = moment(body.get("timestamp"))
    targets = objects(body.get("targets"))
    return AlertUpdate(
        action=action,
        fingerprint=first(body.get("incident_id"), body.get("condition_id")),
        title=first(body.get("condition_name"), body.get("details"), "Incident in New Relic"),
        description=first(body.get("details"), body.get("condition_description")),
        severity=severity(body.get("severity"), _SEVERITIES),
        severity_word=text(body.get("severity")),
        status_word=text(body.get("current_state")),
        is_guess=is_guess,
        labels={**_targets(targets), **_labels(body)},
        annotations=labels(owner=body.get("owner")),
        links=links(
            ("Runbook", body.get("runbook_url")),
            ("Incident", body.get("incident_url")),
            ("Policy", body.get("policy_url")),
            ("Chart", body.get("violation_chart_url")),
        ),
        starts_at=at if action == Action.FIRE else None,
        ends_at=at if action == Action.RESOLVE else None,
        user=text(body.get("owner")) if action == Action.ACKNOWLEDGE else "",
    )


def _labels(body: dict[str, Any]) -> dict[str, str]:
    return labels(
        account=body.get("account_name"),
        policy=body.get("policy_name"),
        condition=body.get("condition_name"),
    )


def _targets(targets: list[dict[str, Any]]) -> dict[str, str]:
    if not targets:
        return {}
    target = targets[0]
    own = labels(target=target.get("name"), target_type=target.get("type"), product=target.get("product"))
    return {**texts(mapping(target.get("labels"))), **own}


def _issue(body: dict[str, Any]) -> AlertUpdate:
    action, is_guess = _issue_action(body)
    title = _listed(body.get("title"))
    return AlertUpdate(
        action=action,
        fingerprint=first(body.get("issueId"), body.get("id"), body.get("issueUrl")),
        title=first(title, _listed(body.get("alertConditionNames")), "Issue in New Relic"),
        description=first(_listed(body.get("description")), _listed(body.get("alertConditionNames"))),
        severity=severity(body.get("priority"), _SEVERITIES),
        severity_word=text(body.get("priority")),
        status_word=text(body.get("state")) if is_guess else "",
        is_guess=is_guess,
        labels=labels(
            policy=_listed(body.get("alertPolicyNames")),
            condition=_listed(body.get("alertConditionNames")),
            entity=_listed(body.get("impactedEntities")),
            workflow=body.get("workflowName"),
        ),
        annotations=labels(trigger=body.get("trigger"), incidents=body.get("totalIncidents")),
        links=links(("Issue", body.get("issueUrl"))),
        starts_at=moment(body.get("createdAt")),
        ends_at=moment(first(body.get("closedAt"), body.get("updatedAt"))) if action == Action.RESOLVE else None,
        user=_acknowledger(body) if action == Action.ACKNOWLEDGE else "",
    )


def _issue_action(body: dict[str, Any]) -> tuple[Action, bool]:
    """Return what the state asks for, and whether that is a guess. An acknowledged issue stays ACTIVATED."""
    action, is_guess = state(body.get("state"))
    if action == Action.RESOLVE:
        return action, is_guess
    is_taken = "acknowledged" in text(body.get("trigger")).lower() or moment(body.get("acknowledgedAt")) is not None
    return (Action.ACKNOWLEDGE, False) if is_taken or _acknowledger(body) else (action, is_guess)


def _acknowledger(body: dict[str, Any]) -> str:
    names = (_listed(body.get(name)) for name in ("acknowledgedBy", "owner"))
    return next((name for name in names if name.lower() not in _NOBODY), "")


def _listed(value: Any) -> str:
    return ", ".join(filter(None, map(text, value))) if isinstance(value, list) else text(value)
