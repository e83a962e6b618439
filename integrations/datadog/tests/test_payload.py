"""Datadog's templated body: transitions, keys, priorities."""

import datetime as dt
import json
from typing import Any

from django.test import SimpleTestCase

from alerts.tests.factories import Snapshot
from alerts.transitions import Transition, next_state
from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertStatus
from intake.requests import IntakeRequest
from integrations.datadog import payload as datadog

NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


def firing(update: AlertUpdate) -> Snapshot:
    return Snapshot(AlertStatus.FIRING, update.starts_at or NOW)


class DatadogTests(SimpleTestCase):
    def update(self, **body: Any) -> AlertUpdate:
        [update] = datadog.parse(request({"title": "Disk", "aggreg_key": "k", "date": "1795168800000", **body}))
        return update

    def test_it_knows_every_transition(self):
        for transition, (action, has_start) in {
            "Triggered": (Action.FIRE, True),
            "Warn": (Action.FIRE, True),
            "No Data": (Action.FIRE, True),
            "Re-Triggered": (Action.FIRE, False),
            "Re-Warn": (Action.FIRE, False),
            "Re-No Data": (Action.FIRE, False),
            "Renotify": (Action.FIRE, False),
            "Recovered": (Action.RESOLVE, False),
            "null": (Action.FIRE, True),
        }.items():
            with self.subTest(transition=transition):
                update = self.update(alert_transition=transition)

                self.assertEqual((update.action, update.starts_at is not None), (action, has_start))
                self.assertEqual(update.ends_at is not None, action == Action.RESOLVE)

    def test_it_takes_a_reminder_for_a_repeat(self):
        fired = self.update(alert_transition="Triggered")
        again = self.update(alert_transition="Re-Triggered", date="1795172400000")
        late = self.update(alert_transition="Triggered")

        self.assertEqual(next_state(firing(fired), again), Transition.REPEATED)
        over = Snapshot(AlertStatus.RESOLVED, fired.starts_at or NOW, ended_by="sender")
        self.assertEqual(next_state(over, late), Transition.STALE)

    def test_it_prefers_the_key_that_outlives_a_firing(self):
        for body, expected in (
            ({"alert_cycle_key": "c", "alert_id": "1"}, "k"),
            ({"aggreg_key": "", "alert_cycle_key": "c", "alert_id": "1"}, "c"),
            ({"aggreg_key": "$AGGREG_KEY", "alert_id": "1", "alert_scope": "host:a"}, "1:host:a"),
            ({"aggreg_key": None, "monitor_id": 1}, "1"),
            ({"aggreg_key": None, "title": "[Re-Warn on {host:a}] Disk"}, "Disk:host:a"),
        ):
            with self.subTest(body=body):
                self.assertEqual(self.update(**body).fingerprint, expected)

    def test_it_maps_priorities(self):
        for priority, expected in {
            "P1": "critical",
            "p2": "high",
            "P3": "medium",
            4: "low",
            "P5": "low",
            "": "",
        }.items():
            with self.subTest(priority=priority):
                self.assertEqual(self.update(alert_priority=priority).severity, expected)

    def test_it_leaves_alone_titles_that_only_look_like_theirs(self):
        for title in ("[Shop] Disk", "[Triggered", "[] x", "Triggered on x"):
            with self.subTest(title=title):
                self.assertEqual(self.update(title=title).title, title)
