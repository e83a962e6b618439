"""Sentry's signature, and hooks that the examples leave out."""

import hashlib
import hmac
import json
from typing import Any

from django.test import SimpleTestCase

from intake.requests import IntakeError, IntakeRequest
from integrations.sentry import payload as sentry

BODY = b'{"action": "created"}'


def request(body: bytes = BODY, **headers: str) -> IntakeRequest:
    return IntakeRequest("POST", "/", {name.replace("_", "-"): value for name, value in headers.items()}, body)


def issue(action: str, **facts: Any) -> IntakeRequest:
    body = {"action": action, "data": {"issue": {"id": "1", "title": "Broken", **facts}}}
    return request(json.dumps(body).encode(), sentry_hook_resource="issue")


def signature(body: bytes = BODY, secret: str = "client secret") -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class SentryTests(SimpleTestCase):
    def test_it_takes_what_is_signed_with_the_secret(self):
        self.assertIsNone(sentry.verify(request(sentry_hook_signature=signature()), "client secret"))

    def test_it_refuses_what_is_not(self):
        for given in ("", signature(secret="other"), signature(b"{}"), signature()[:-1], "sha256=" + signature(), "é"):
            with self.subTest(given=given), self.assertRaises(IntakeError) as caught:
                sentry.verify(request(sentry_hook_signature=given), "client secret")
            self.assertEqual(caught.exception.status, 403)

    def test_it_asks_for_no_signature_without_a_secret(self):
        self.assertIsNone(sentry.verify(request(), ""))

    def test_it_tells_deliveries_apart(self):
        self.assertEqual(sentry.delivery_id(request(request_id="r-1")), "r-1")
        self.assertEqual(sentry.delivery_id(request()), "")

    def test_it_greets_installations_only(self):
        self.assertTrue(sentry.greet(request(sentry_hook_resource="installation")))
        self.assertFalse(sentry.greet(request(sentry_hook_resource="issue")))

    def test_it_knows_what_happens_to_an_issue(self):
        expected = {
            **{"created": "fire", "unresolved": "fire", "resolved": "resolve", "archived": "resolve"},
            **{"ignored": "resolve", "assigned": "note"},
        }
        for action, ours in expected.items():
            with self.subTest(action=action):
                self.assertEqual([update.action for update in sentry.parse(issue(action))], [ours])

    def test_it_makes_nothing_of_other_actions(self):
        self.assertEqual(sentry.parse(issue("seen")), [])

    def test_it_reads_a_hook_whose_resource_is_not_told(self):
        body = json.dumps({"action": "critical", "data": {"metric_alert": {"id": 1, "alert_rule": {"id": 2}}}})

        updates = sentry.parse(request(body.encode()))

        self.assertEqual([update.fingerprint for update in updates], ["metric:2"])
