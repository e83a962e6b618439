"""New Relic: the webhooks of workflows with their default template, and those of the notification channels before.

Sources: https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook and, for the channels,
https://docs.newrelic.com/docs/alerts/new-relic-alerts/advanced-alerts/advanced-techniques/customize-your-webhook-payload/.
The identity is the issue (workflows) or the incident (channels). Times are milliseconds since 1970.
"""

from typing import Any

from alerts.adapters._reading import first, json_object, labels, links, mapping, moment, objects, severity, text, texts
from alerts.drafts import Action, Draft
from alerts.incoming import Incoming, IntakeError

TITLE = "New Relic"
SNIPPET = """\
Alerts → Destinations → Webhook:
Endpoint URL: {url}/intake/{key}/
Then choose it as a notification channel of a workflow, with the default template.
"""
_ACTIONS = {"acknowledged": Action.ACKNOWLEDGE, "closed": Action.RESOLVE}
_SEVERITIES = {
    "critical": "critical",
    "high": "high",
    "medium": "medium",
    "warning": "medium",
    "low": "low",
    "info": "low",
}


def parse(incoming: Incoming) -> list[Draft]:
    """One draft for the issue or incident."""
    body = json_object(incoming)
    if first(body.get("current_state"), body.get("incident_id")):
        return [_incident(body)]
    if first(body.get("issueId"), body.get("id"), body.get("issueUrl")):
        return [_issue(body)]
    raise IntakeError("There is neither an incident_id nor an issue in it; is this New Relic's webhook?")


def _incident(body: dict[str, Any]) -> Draft:
    action = _ACTIONS.get(text(body.get("current_state")).lower(), Action.FIRE)
    at = moment(body.get("timestamp"))
    targets = objects(body.get("targets"))
    return Draft(
        action=action,
        fingerprint=first(body.get("incident_id"), body.get("condition_id")),
        title=first(body.get("condition_name"), body.get("details"), "Incident in New Relic"),
        description=first(body.get("details"), body.get("condition_description")),
        severity=severity(body.get("severity"), _SEVERITIES),
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
    """What is told of the first target; there is one in nearly all messages."""
    if not targets:
        return {}
    target = targets[0]
    own = labels(target=target.get("name"), target_type=target.get("type"), product=target.get("product"))
    return {**texts(mapping(target.get("labels"))), **own}


def _issue(body: dict[str, Any]) -> Draft:
    action = _issue_action(body)
    title = _listed(body.get("title"))
    return Draft(
        action=action,
        fingerprint=first(body.get("issueId"), body.get("id"), body.get("issueUrl")),
        title=first(title, _listed(body.get("alertConditionNames")), "Issue in New Relic"),
        description=first(_listed(body.get("description")), _listed(body.get("alertConditionNames"))),
        severity=severity(body.get("priority"), _SEVERITIES),
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
        user=_listed(body.get("owner")) if action == Action.ACKNOWLEDGE else "",
    )


def _issue_action(body: dict[str, Any]) -> Action:
    state = text(body.get("state")).lower()
    if state != "closed" and "acknowledged" in text(body.get("trigger")).lower():
        return Action.ACKNOWLEDGE
    return _ACTIONS.get(state, Action.FIRE)


def _listed(value: Any) -> str:
    """A list of names as one text; anything else as it is."""
    return ", ".join(filter(None, map(text, value))) if isinstance(value, list) else text(value)
