"""Graylog's events: which are the same, and that each is another occurrence."""

import datetime as dt
import json
from typing import Any

from django.test import SimpleTestCase

from alerts.tests.factories import Snapshot
from alerts.transitions import Transition, next_state
from alerts.updates import AlertUpdate
from alerts.vocabulary import AlertStatus
from intake.requests import IntakeRequest
from integrations.graylog import payload as graylog

NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


def firing(update: AlertUpdate) -> Snapshot:
    return Snapshot(AlertStatus.FIRING, update.starts_at or NOW)


class GraylogTests(SimpleTestCase):
    def update(self, **event: Any) -> AlertUpdate:
        [update] = graylog.parse(request({"event_definition_id": "d", "event": {"message": "m", **event}}))
        return update

    def test_it_tells_events_apart_by_what_they_are_grouped_by(self):
        for event, expected in (
            ({}, "d"),
            ({"key": "", "key_tuple": []}, "d"),
            ({"key": "bob"}, "d:bob"),
            ({"key_tuple": ["bob", 7]}, "d:bob|7"),
            ({"group_by_fields": {"user": "bob", "host": "a"}}, "d:host=a|user=bob"),
        ):
            with self.subTest(event=event):
                self.assertEqual(self.update(**event).fingerprint, expected)

    def test_it_takes_each_event_for_another_occurrence(self):
        first, second = self.update(timestamp="2026-11-20T10:00:00Z"), self.update(timestamp="2026-11-20T11:00:00Z")

        self.assertEqual(next_state(firing(first), second), Transition.REFIRED)
        self.assertEqual(next_state(firing(first), first), Transition.REPEATED)
