"""Prometheus itself, which posts alerts to Alertmanager's API.

Source: https://prometheus.io/docs/alerting/latest/alerts_api/. An alert fires until `endsAt`; labels identify it.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from alerts.reading.lists import read_each
from alerts.reading.values import mapping, moment, texts
from alerts.updates import Action, AlertUpdate, AlertUpdates
from intake.requests import IntakeError, IntakeRequest
from integrations.alertmanager.payload import update_of, updates_of

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


def parse(request: IntakeRequest, now: dt.datetime | None = None) -> AlertUpdates:
    """Return an update for each alert, of Alertmanager's webhook too; `now` (UTC) is when the request came in."""
    body = request.json
    if isinstance(body, dict) and "alerts" in body:
        return updates_of(body)
    if not isinstance(body, list):
        raise IntakeError("The payload has no alerts with labels; is this what Prometheus sends to Alertmanager?")
    at = now or dt.datetime.now(dt.UTC)
    return read_each(body, lambda alert: _update(alert, at))


def _update(alert: Any, now: dt.datetime) -> AlertUpdate:
    if not texts(mapping(alert).get("labels")):
        raise IntakeError("It has no labels to identify it.")
    ends_at = moment(alert.get("endsAt"))
    is_over = ends_at is not None and ends_at <= now
    return replace(
        update_of({**alert, "status": "", "fingerprint": ""}, {}),
        action=Action.RESOLVE if is_over else Action.FIRE,
        ends_at=ends_at,
        # Flux and other senders tell when it began and never that it is over.
        may_never_end=ends_at is None,
    )
