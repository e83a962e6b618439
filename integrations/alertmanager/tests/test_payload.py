"""Alertmanager's groups: who is who in them."""

import json
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import Action
from intake.requests import IntakeError, IntakeRequest
from integrations.alertmanager import payload as alertmanager


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


class AlertmanagerTests(SimpleTestCase):
    def test_it_identifies_an_alert_of_version_3_by_its_own_labels(self):
        one, other = {"alertname": "a", "host": "x"}, {"alertname": "a", "host": "y"}
        alone = {"status": "firing", "commonLabels": one, "alerts": [{"status": "firing", "labels": one}]}
        ended = {"status": "resolved", "labels": one, "endsAt": "2026-11-20T10:00:00Z"}
        among = {"status": "firing", "commonLabels": {"alertname": "a"}, "alerts": [{"labels": other}, ended]}

        [fired] = alertmanager.parse(request(alone))
        [another, over] = alertmanager.parse(request(among))

        self.assertEqual((fired.action, over.action, another.action), (Action.FIRE, Action.RESOLVE, Action.FIRE))
        self.assertEqual(fired.identity, over.identity)
        self.assertNotEqual(fired.identity, another.identity)

    def test_it_says_how_many_were_left_out(self):
        for count, is_told in ((2, True), (0, False), (None, False), ("2", False), (True, False), (-1, False)):
            with self.subTest(count=count):
                [update] = alertmanager.parse(request({"alerts": [{"labels": {"a": "b"}}], "truncatedAlerts": count}))

                self.assertEqual("truncated" in update.annotations, is_told)

    def test_it_leaves_out_what_nothing_tells_apart(self):
        alerts = [{}, {"labels": []}, {"labels": {"a": "b"}}]

        self.assertEqual(len(alertmanager.parse(request({"alerts": alerts}))), 1)
        with self.assertRaises(IntakeError):
            alertmanager.parse(request({"alerts": alerts[:2]}))
