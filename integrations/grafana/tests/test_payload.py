"""Grafana's legacy rules."""

import json
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import Action
from intake.requests import IntakeRequest
from integrations.grafana import payload as grafana


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


class GrafanaTests(SimpleTestCase):
    def test_it_knows_the_states_of_legacy_rules(self):
        for state, action in {
            "alerting": Action.FIRE,
            "no_data": Action.FIRE,
            "ok": Action.RESOLVE,
            "OK": Action.RESOLVE,
            "paused": Action.NOTE,
            "pending": Action.NOTE,
            "something new": Action.FIRE,
            None: Action.FIRE,
        }.items():
            with self.subTest(state=state):
                [update] = grafana.parse(request({"ruleId": 7, "ruleName": "a", "state": state}))

                self.assertEqual((update.action, update.fingerprint), (action, "7"))
                self.assertEqual(bool(update.note), action == Action.NOTE)

    def test_it_labels_a_rule_by_what_its_series_share(self):
        matches = [{"tags": {"room": "a", "rack": "1"}}, {"tags": {"room": "a", "rack": "2"}}, "nonsense"]

        [update] = grafana.parse(request({"ruleId": 7, "title": "[Alerting] Heat", "evalMatches": matches}))

        self.assertEqual(update.labels, {"alertname": "Heat", "room": "a"})
