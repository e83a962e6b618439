"""New Relic's states, of workflows and of channels."""

import json
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import Action
from intake.requests import IntakeRequest
from integrations.newrelic import payload as newrelic


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


class NewRelicTests(SimpleTestCase):
    def test_it_follows_new_relic_from_opening_to_closing(self):
        for body, action in (
            ({"incident_id": 1, "current_state": "open"}, Action.FIRE),
            ({"incident_id": 1, "current_state": "ACKNOWLEDGED"}, Action.ACKNOWLEDGE),
            ({"incident_id": 1, "current_state": "closed"}, Action.RESOLVE),
            ({"id": "1", "state": "CREATED"}, Action.FIRE),
            ({"id": "1", "state": "ACTIVATED", "trigger": "ISSUE_ACKNOWLEDGED"}, Action.ACKNOWLEDGE),
            ({"id": "1", "state": "CLOSED", "trigger": "ISSUE_ACKNOWLEDGED"}, Action.RESOLVE),
        ):
            with self.subTest(body=body):
                [update] = newrelic.parse(request(body))

                self.assertEqual((update.action, update.fingerprint), (action, "1"))
