"""Slack's requests: signatures, replays, and how soon they are answered."""

import time
from typing import Any
from unittest import mock

import time_machine
from django.test import Client, TestCase, override_settings

from notifications.channels.slack.tests.fake import SECRET, FakeSlack, signed
from notifications.models import ChatIntegration, ChatRequest
from tests.reported import reported_failure

INTERACTIONS, COMMANDS = "/integrations/slack/interactions", "/integrations/slack/commands"
FORM = "application/x-www-form-urlencoded"


@override_settings(SLACK_SIGNING_SECRET=SECRET)
class WebhookTests(TestCase):
    def setUp(self) -> None:
        self.slack = FakeSlack()
        self.addCleanup(self.slack.stop)
        self.client = Client(enforce_csrf_checks=True)
        self.body = self.slack.press("U0ADA00001", "incident.acknowledge", "1042")

    def post(self, body: bytes, headers: dict[str, str] | None = None, path: str = INTERACTIONS) -> Any:
        sent = {name: value for name, value in (headers or signed(body)).items() if name != "Content-Type"}
        return self.client.post(path, body, content_type=FORM, headers=sent)

    def test_it_stores_what_is_asked_and_answers_with_nothing(self) -> None:
        answer = self.post(self.body)

        self.assertEqual((answer.status_code, answer.content), (200, b""))
        request = ChatRequest.objects.get()
        self.assertEqual(
            (request.kind, request.address, request.action, request.number),
            ("slack", "U0ADA00001", "acknowledge", 1042),
        )

    @reported_failure(20)
    def test_it_answers_within_half_a_second(self) -> None:
        self.post(self.slack.press("U0ADA00001", "incident.take", "1"))
        begun = time.monotonic()
        with mock.patch("core.outbound.client.Client.request", side_effect=AssertionError("waits for somebody")):
            for number in range(10):
                self.post(self.slack.press("U0ADA00001", "incident.acknowledge", str(number)))

        self.assertLess((time.monotonic() - begun) / 10, 0.5)

    def test_it_stores_once_what_slack_delivers_again(self) -> None:
        headers = signed(self.body)
        answers = [
            self.post(self.body, {**headers, **again}).status_code
            for again in (
                {},
                {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"},
                {"X-Slack-Retry-Num": "2"},
            )
        ]

        self.assertEqual((answers, ChatRequest.objects.count()), ([200, 200, 200], 1))

    def test_it_refuses_other_signatures(self) -> None:
        now = time.time()
        good = signed(self.body)
        for name, headers in (
            ("none", {"Content-Type": FORM}),
            ("another secret", signed(self.body, secret="x" * 32)),
            ("of another body", signed(self.body + b"&")),
            ("six minutes old", signed(self.body, at=now - 360)),
            ("six minutes ahead", signed(self.body, at=now + 360)),
            ("no time", {**good, "X-Slack-Request-Timestamp": ""}),
            ("a word for a time", {**good, "X-Slack-Request-Timestamp": "now"}),
            ("another version", {**good, "X-Slack-Signature": good["X-Slack-Signature"].replace("v0=", "v1=")}),
            ("not ASCII", {**good, "X-Slack-Signature": "v0=\xff"}),
        ):
            with self.subTest(name):
                answer = self.post(self.body, headers)

                self.assertEqual((answer.status_code, answer.json()["code"]), (403, "signature_invalid"))
        self.assertFalse(ChatRequest.objects.exists())

    def test_it_refuses_a_body_that_was_written_anew(self) -> None:
        headers = signed(self.body)
        for again in (self.body.replace(b"+", b"%20"), self.body.lower(), self.body + b" ", b"\xff"):
            with self.subTest(again[:20]):
                self.assertEqual(self.post(again, headers).status_code, 403)

    def test_it_takes_a_signature_for_five_minutes(self) -> None:
        with time_machine.travel("2026-11-30 10:00:00", tick=False) as clock:
            headers = signed(self.body)
            clock.shift(299)
            early = self.post(self.body, headers).status_code
            clock.shift(2)
            late = self.post(self.body, headers).status_code

        self.assertEqual((early, late), (200, 403))

    def test_it_is_closed_without_a_secret(self) -> None:
        with override_settings(SLACK_SIGNING_SECRET=" "):
            answer = self.post(self.body, signed(self.body, secret=" "))

        self.assertEqual((answer.status_code, answer.json()["code"]), (403, "not_set_up"))

    def test_it_says_what_is_wrong_with_a_body(self) -> None:
        for path in (INTERACTIONS, COMMANDS):
            answer = self.post(b"text=x", path=path)

            self.assertEqual((answer.status_code, answer.json()["code"]), (400, "invalid"))
        self.assertEqual(self.client.get(INTERACTIONS).status_code, 405)

    def test_it_helps_at_once(self) -> None:
        for text in ("", "help", "explode"):
            answer = self.post(self.slack.command("U0ADA00001", text), path=COMMANDS)

            self.assertEqual(answer.json()["response_type"], "ephemeral")
            self.assertIn("/incident ack INC-1042", answer.json()["text"])
        self.assertIn("no command “explode”", answer.json()["text"])

    def test_it_stores_commands(self) -> None:
        body = self.slack.command("U0ADA00001", "note INC-7 on it")

        answers = [self.post(body, path=COMMANDS) for _ in range(2)]

        self.assertEqual([(one.status_code, one.content) for one in answers], [(200, b"")] * 2)
        self.assertEqual(ChatRequest.objects.get().text, "on it")

    @reported_failure(20)
    def test_it_notes_when_slack_last_asked_and_was_last_refused(self) -> None:
        self.post(self.body)
        self.post(self.body, signed(self.body, secret="x" * 32))

        noted = ChatIntegration.objects.get(kind="slack")

        self.assertIsNotNone(noted.received_at)
        self.assertIsNotNone(noted.refused_at)
        self.assertIn("SLACK_SIGNING_SECRET", noted.refusal)
