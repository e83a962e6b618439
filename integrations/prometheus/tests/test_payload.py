"""Prometheus's own alerts, whose end says whether they fire."""

import datetime as dt
import json
from typing import Any

from django.test import SimpleTestCase

from alerts.tests.factories import Snapshot
from alerts.transitions import Transition, next_state
from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertStatus
from intake.requests import IntakeRequest
from integrations.prometheus import payload as prometheus

NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


def firing(update: AlertUpdate) -> Snapshot:
    return Snapshot(AlertStatus.FIRING, update.starts_at or NOW)


class PrometheusTests(SimpleTestCase):
    def parse(self, ends_at: str) -> AlertUpdate:
        alert = {"labels": {"alertname": "a"}, "startsAt": "2026-11-20T09:00:00Z", "endsAt": ends_at}
        [update] = prometheus.parse(request([alert]), now=NOW)
        return update

    def test_it_tells_firing_from_over_by_the_end(self):
        for ends_at, action in {
            "2026-11-20T10:04:00Z": Action.FIRE,
            "2026-11-20T10:00:00.000001Z": Action.FIRE,
            "2026-11-20T10:00:00Z": Action.RESOLVE,
            "2026-11-20T09:30:00Z": Action.RESOLVE,
            "2026-11-20T11:00:00+01:30": Action.RESOLVE,
            "0001-01-01T00:00:00Z": Action.FIRE,
            "": Action.FIRE,
        }.items():
            with self.subTest(ends_at=ends_at):
                self.assertEqual(self.parse(ends_at).action, action)

    def test_it_gives_one_that_fires_until_its_end(self):
        self.assertEqual(self.parse("2026-11-20T10:04:00Z").ends_at, NOW + dt.timedelta(minutes=4))
        self.assertIsNone(self.parse("0001-01-01T00:00:00Z").ends_at)

    def test_it_keeps_the_identity_from_first_to_last(self):
        fired, over = self.parse("2026-11-20T10:04:00Z"), self.parse("2026-11-20T09:30:00Z")

        self.assertEqual(fired.identity, over.identity)
        self.assertEqual(next_state(firing(fired), fired), Transition.REPEATED)
        self.assertEqual(next_state(firing(fired), over), Transition.RESOLVED)

    def test_it_uses_the_clock_where_no_time_is_given(self):
        alerts = [{"labels": {"a": "b"}, "endsAt": year} for year in ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z")]

        found = prometheus.parse(request(alerts))

        self.assertEqual([update.action for update in found], [Action.RESOLVE, Action.FIRE])

    def test_it_reads_alertmanagers_webhook_too(self):
        [update] = prometheus.parse(request({"alerts": [{"status": "resolved", "labels": {"a": "b"}}]}), now=NOW)

        self.assertEqual(update.action, Action.RESOLVE)
