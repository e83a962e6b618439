"""Google Cloud Monitoring's webhook channel, versions 1.0 to 1.2 of its incidents.

Source: https://cloud.google.com/monitoring/support/notification-options#schema. `incident_id` is the identity; times
are seconds since 1970, 0 or null where there is none.
"""

from typing import Any

from alerts.reading.values import first, json_object, labels, links, mapping, moment, severity, state, text, texts
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Google Cloud Monitoring"
SNIPPET = """\
Monitoring → Alerting → Edit notification channels → Webhooks → Add new:
Endpoint URL: {url}/intake/{key}/
Then select it in each alerting policy and tick "Notify on incident closure".
"""


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of the incident; none for the message that tests the channel."""
    body = json_object(request)
    incident = mapping(body.get("incident"))
    if not incident:
        raise IntakeError("The payload has no incident; is this Google Cloud Monitoring's webhook?")
    if text(body.get("version")).lower() == "test":
        return []
    return [_update(incident)]


def _update(incident: dict[str, Any]) -> AlertUpdate:
    word = text(incident.get("state"))
    action, is_guess = state(word)
    is_over = action == Action.RESOLVE
    documentation = mapping(incident.get("documentation"))
    condition = first(incident.get("condition_name"), mapping(incident.get("condition")).get("displayName"))
    found = _labels(incident, condition)
    how_bad = _severity_word(incident, found)
    return AlertUpdate(
        action=Action.RESOLVE if is_over else Action.FIRE,
        fingerprint=text(incident.get("incident_id")),
        title=first(documentation.get("subject"), incident.get("summary"), condition, "Incident in Google Cloud"),
        description=first(documentation.get("content"), incident.get("summary")),
        severity=severity(how_bad),
        severity_word=how_bad,
        status_word=word,
        is_guess=is_guess,
        labels=found,
        annotations=labels(
            summary=incident.get("summary"),
            observed_value=incident.get("observed_value"),
            threshold_value=incident.get("threshold_value"),
        ),
        links=links(("Incident", incident.get("url")), ("Apigee", incident.get("apigee_url"))),
        starts_at=moment(incident.get("started_at")),
        ends_at=moment(incident.get("ended_at")) if is_over else None,
    )


def _severity_word(incident: dict[str, Any], found: dict[str, str]) -> str:
    said = text(incident.get("severity"))
    return first("" if said.lower() == "no severity" else said, found.get("severity"))


def _labels(incident: dict[str, Any], condition: str) -> dict[str, str]:
    resource, metric = mapping(incident.get("resource")), mapping(incident.get("metric"))
    metadata = mapping(incident.get("metadata"))
    return {
        **texts(metadata.get("system_labels")),
        **texts(resource.get("labels")),
        **texts(metric.get("labels")),
        **texts(metadata.get("user_labels")),
        **texts(incident.get("policy_user_labels")),
        **labels(
            policy=incident.get("policy_name"),
            condition=condition,
            project=incident.get("scoping_project_id"),
            resource_type=resource.get("type"),
            resource=first(
                incident.get("resource_display_name"), incident.get("resource_name"), incident.get("resource_id")
            ),
            metric=metric.get("type"),
        ),
    }
