"""Alertmanager's webhook, versions 3 and 4.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Each alert's own status counts.
`endsAt` in the year 1 means not ended. Without fingerprint (version 3) the alert's own labels identify it.
"""

from typing import Any

from alerts.reading.lists import read_each
from alerts.reading.values import first, json_object, links, mapping, moment, severity, state, text, texts
from alerts.updates import Action, AlertUpdate, AlertUpdates
from intake.requests import IntakeError, IntakeRequest

TITLE = "Prometheus Alertmanager"
SNIPPET = """\
receivers:
  - name: incidents
    webhook_configs:
      - url: {url}/intake/{key}/
        send_resolved: true
"""


def parse(request: IntakeRequest) -> AlertUpdates:
    """Return an update for each alert."""
    return updates_of(json_object(request))


def updates_of(group: dict[str, Any]) -> AlertUpdates:
    """Return a group's updates. Raises IntakeError for none."""
    alerts = group.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        raise IntakeError("The payload has no list of alerts; is this Alertmanager's webhook?")
    return read_each(alerts, lambda alert: update_of(alert, group), lambda bad: {**group, "alerts": bad})


def update_of(alert: Any, group: dict[str, Any]) -> AlertUpdate:
    """Return an alert's update, completed by its group. Raises IntakeError for an unidentified one."""
    if not isinstance(alert, dict):
        raise IntakeError("It is not an object.")
    if not text(alert.get("fingerprint")) and not texts(alert.get("labels")):
        raise IntakeError("It has neither labels nor a fingerprint to identify it.")
    word = first(mapping(alert.get("status")).get("state"), alert.get("status"), group.get("status"))
    action, is_guess = state(word)
    is_over = action == Action.RESOLVE
    labels = texts(alert.get("labels")) or texts(group.get("commonLabels"))
    how_bad = first(labels.get("severity"), labels.get("priority"))
    annotations = {**texts(group.get("commonAnnotations")), **texts(alert.get("annotations")), **_left_out(group)}
    return AlertUpdate(
        action=Action.RESOLVE if is_over else Action.FIRE,
        status_word=word,
        is_guess=is_guess,
        fingerprint=text(alert.get("fingerprint")),
        title=first(annotations.get("summary"), annotations.get("title"), labels.get("alertname"), "Alert"),
        description=first(annotations.get("description"), annotations.get("message")),
        severity=severity(how_bad),
        severity_word="" if labels.get("severity") else how_bad,
        labels=labels,
        annotations=annotations,
        links=links(
            ("Runbook", annotations.get("runbook_url")),
            ("Source", alert.get("generatorURL")),
            ("Dashboard", first(alert.get("dashboardURL"), annotations.get("dashboard_url"))),
            ("Panel", alert.get("panelURL")),
            ("Silence", alert.get("silenceURL")),
            ("Alertmanager", group.get("externalURL")),
        ),
        starts_at=moment(alert.get("startsAt")),
        # Alertmanager resolves alerts itself: no time of a firing one ends it
        ends_at=moment(alert.get("endsAt")) if is_over else None,
    )


def _left_out(group: dict[str, Any]) -> dict[str, str]:
    count = group.get("truncatedAlerts")
    if not isinstance(count, int) or isinstance(count, bool) or count <= 0:
        return {}
    return {"truncated": f"{count} more of this group were not sent; max_alerts is set in Alertmanager"}
