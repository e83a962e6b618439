"""Prometheus itself, which posts to us what it would post to Alertmanager's own API.

Source: https://prometheus.io/docs/alerting/latest/alerts_api/. The body is a list of alerts without any state: one
whose `endsAt` is still to come fires until then, and is sent again well before it; one whose `endsAt` has passed is
over. Its labels are its identity.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from alerts.adapters._reading import moment, objects
from alerts.adapters.alertmanager import draft_of, drafts_of
from alerts.drafts import Action, Draft
from alerts.incoming import Incoming, IntakeError, read_json

TITLE = "Prometheus"
TAKES_TIME = True
SNIPPET = """\
# In prometheus.yml
alerting:
  alertmanagers:
    - scheme: {scheme}
      authorization:
        credentials: {key}
      static_configs:
        - targets: ["{host}"]
"""


def parse(incoming: Incoming, now: dt.datetime | None = None) -> list[Draft]:
    """A draft for each alert. `now` (UTC) is when the request came in; what is read later than that must say so,
    or what fired then would seem to be over by now. Alertmanager's webhook is read as well.
    """
    body = read_json(incoming.body)
    if isinstance(body, dict) and "alerts" in body:
        return drafts_of(body)
    alerts = [alert for alert in objects(body) if alert.get("labels")]
    if not alerts and body != []:
        raise IntakeError("There are no alerts with labels in it; is this what Prometheus sends to Alertmanager?")
    at = now or dt.datetime.now(dt.UTC)
    return [_draft(alert, at) for alert in alerts]


def _draft(alert: dict[str, Any], now: dt.datetime) -> Draft:
    ends_at = moment(alert.get("endsAt"))
    is_over = ends_at is not None and ends_at <= now
    return replace(
        draft_of({**alert, "status": "", "fingerprint": ""}, {}),
        action=Action.RESOLVE if is_over else Action.FIRE,
        ends_at=ends_at,
    )
