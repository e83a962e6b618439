"""Uptime Kuma's statuses, reminders and messages without a monitor."""

import datetime as dt
import json
import time
from typing import Any
from urllib.parse import urlencode

from django.test import SimpleTestCase

from alerts.tests.factories import Snapshot
from alerts.transitions import Transition, next_state
from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertStatus
from intake.requests import IntakeError, IntakeRequest
from integrations.uptime_kuma import payload as uptime_kuma

NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


def firing(update: AlertUpdate) -> Snapshot:
    return Snapshot(AlertStatus.FIRING, update.starts_at or NOW)


class UptimeKumaTests(SimpleTestCase):
    heartbeat = {"monitorID": 4, "status": 0, "time": "2026-11-20 10:00:00", "msg": "down", "important": True}

    def test_it_knows_every_status(self):
        for status, action in {
            0: Action.FIRE,
            1: Action.RESOLVE,
            2: Action.NOTE,
            3: Action.NOTE,
            "0": Action.FIRE,
            9: Action.NOTE,
            None: Action.NOTE,
        }.items():
            with self.subTest(status=status):
                [update] = uptime_kuma.parse(request({"heartbeat": {**self.heartbeat, "status": status}}))

                self.assertEqual((update.action, update.fingerprint), (action, "4"))

    def test_it_takes_a_reminder_for_a_repeat(self):
        [fired] = uptime_kuma.parse(request({"heartbeat": self.heartbeat}))
        reminder = {**self.heartbeat, "time": "2026-11-20 10:05:00"}

        for important in (False, 0):
            with self.subTest(important=important):
                [again] = uptime_kuma.parse(request({"heartbeat": {**reminder, "important": important}}))

                self.assertEqual(next_state(firing(fired), again), Transition.REPEATED)

    def test_it_takes_nothing_from_a_test(self):
        test = {"heartbeat": None, "monitor": None, "msg": "Phone Testing"}

        self.assertEqual(uptime_kuma.parse(request(test)), [])
        self.assertEqual(uptime_kuma.parse(IntakeRequest("GET", "/", {}, b"", urlencode({"msg": "Phone Testing"}))), [])

    def test_it_counts_the_days_of_a_certificate_as_one_alert(self):
        said = "[Shop][https://shop.example.org/] server certificate shop.example.org will expire in {} days"

        [week], [day] = (uptime_kuma.parse(request({"monitor": None, "msg": said.format(left)})) for left in (7, 1))

        self.assertEqual((week.action, week.severity), (Action.FIRE, "low"))
        self.assertEqual(week.identity, day.identity)

    def test_it_refuses_a_request_that_says_nothing(self):
        for query in ("", "heartbeat=&monitor=", "heartbeat={", "data={", "data=[]"):
            with self.subTest(query=query), self.assertRaises(IntakeError):
                uptime_kuma.parse(IntakeRequest("GET", "/", {}, b"", query))

    def test_it_does_not_count_digits_for_ever(self):
        began = time.perf_counter()

        [update] = uptime_kuma.parse(request({"msg": "9" * 2_000_000}))

        self.assertEqual(update.fingerprint, update.title)
        self.assertLess(time.perf_counter() - began, 2)
