"""What PagerDuty refuses, and the key it makes."""

import json
from typing import Any

from django.test import SimpleTestCase

from intake.requests import IntakeError, IntakeRequest
from integrations.pagerduty import payload as pagerduty

TRIGGER = {"event_action": "trigger", "payload": {"summary": "Slow", "source": "web-1", "severity": "error"}}


def refusal(body: dict[str, Any]) -> str:
    try:
        pagerduty.parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode()))
    except IntakeError as error:
        return error.message
    return ""


class PagerDutyTests(SimpleTestCase):
    def test_it_refuses_what_pagerduty_refuses(self):
        cases = [
            ({}, "'event_action' is missing or blank"),
            ({"event_action": "open"}, "'event_action' is invalid"),
            ({"event_action": "trigger"}, "'payload' is missing or blank"),
            ({"event_action": "trigger", "payload": "text"}, "'payload' is missing or blank"),
            ({"event_action": "resolve"}, "'dedup_key' is missing or blank"),
            ({"event_action": "acknowledge", "dedup_key": " "}, "'dedup_key' is missing or blank"),
            ({**TRIGGER, "payload": {**TRIGGER["payload"], "severity": "sev1"}}, "'payload.severity' is invalid"),
            *(
                ({**TRIGGER, "payload": {**TRIGGER["payload"], name: None}}, f"'payload.{name}' is missing or blank")
                for name in ("summary", "source", "severity")
            ),
        ]
        for body, expected in cases:
            with self.subTest(body=body):
                self.assertIn(expected, refusal(body))

    def test_it_names_everything_that_is_missing_at_once(self):
        errors = pagerduty.errors_of({"event_action": "trigger", "payload": {"severity": "info"}})

        self.assertEqual(len(errors), 2)

    def test_it_makes_a_new_key_for_each_trigger_without_one(self):
        first, one = pagerduty.with_dedup_key(TRIGGER)
        _, other = pagerduty.with_dedup_key(TRIGGER)

        self.assertEqual(first["dedup_key"], one)
        self.assertNotEqual(one, other)
        self.assertNotIn("dedup_key", TRIGGER)

    def test_it_keeps_a_key_and_makes_none_for_an_end(self):
        given = pagerduty.with_dedup_key({**TRIGGER, "dedup_key": "a/b"})
        end = pagerduty.with_dedup_key({"event_action": "resolve"})

        self.assertEqual(given[1], "a/b")
        self.assertEqual(end, ({"event_action": "resolve"}, ""))

    def test_it_takes_no_timestamp_for_the_beginning(self):
        body = {**TRIGGER, "payload": {**TRIGGER["payload"], "timestamp": "2026-11-20T08:42:58.315+0000"}}

        update = pagerduty.update_of(body)

        self.assertIsNone(update.starts_at)
        self.assertEqual(update.annotations["timestamp"], "2026-11-20T08:42:58.315000+00:00")
