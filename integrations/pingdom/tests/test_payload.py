"""Pingdom's checks, of both vocabularies."""

import datetime as dt
import json
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import Action
from intake.requests import IntakeRequest
from integrations.pingdom import payload as pingdom

NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


class PingdomTests(SimpleTestCase):
    def test_it_follows_pingdoms_checks(self):
        for state, action in {
            "DOWN": Action.FIRE,
            "FAILING": Action.FIRE,
            "UP": Action.RESOLVE,
            "SUCCESS": Action.RESOLVE,
        }.items():
            with self.subTest(state=state):
                body = {"check_id": 1, "current_state": state, "state_changed_timestamp": 1795168800}

                [update] = pingdom.parse(request(body))

                self.assertEqual((update.action, update.starts_at or update.ends_at), (action, NOW))
