"""Google Cloud Monitoring's incidents, open and closed."""

import datetime as dt
import json
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import Action
from intake.requests import IntakeRequest
from integrations.gcp import payload as gcp

NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


class GoogleCloudTests(SimpleTestCase):
    def test_it_follows_google_cloud_whatever_the_case(self):
        for state, action in {"open": Action.FIRE, "OPEN": Action.FIRE, "CLOSED": Action.RESOLVE}.items():
            with self.subTest(state=state):
                [update] = gcp.parse(
                    request({"incident": {"incident_id": "1", "state": state, "ended_at": 1795168800}})
                )

                self.assertEqual((update.action, update.ends_at), (action, NOW if action == Action.RESOLVE else None))
