"""Webhooks, against a server that judges what it gets."""

import json
import socket
import time

from django.test import SimpleTestCase, override_settings
from standardwebhooks import Webhook

from core.errors import DomainError
from notifications.channels.port import Address, Failed, Message, Stage, channel_of
from notifications.channels.push.tests.test_payload import PAGE
from notifications.channels.webhook.channel import PAGE_WAITS, WAITS, wait_before_next
from notifications.channels.webhook.signing import new_secret
from notifications.channels.webhook.tests.test_payload import UPDATE, VALIDATOR
from notifications.tests.sinks import start_sink

SECRET, OLD_SECRET = new_secret(), new_secret()


def again(message: Message, attempt: int) -> Message:
    return Message(**{**vars(message), "attempt": attempt})


class ChannelTests(SimpleTestCase):
    def setUp(self) -> None:
        self.sink = start_sink(self)
        self.to = Address(f"{self.sink.url}/hooks/s3cret", {"secrets": [SECRET, OLD_SECRET]})

    def send(self, message: Message = UPDATE, to: Address | None = None):
        return channel_of("webhook").send(message, to or self.to)

    def failure(self, message: Message = UPDATE, to: Address | None = None) -> Failed:
        with self.assertRaises(Failed) as caught:
            self.send(message, to)
        self.assertNotIn("s3cret", caught.exception.detail)
        return caught.exception

    def test_it_sends_what_receivers_can_verify(self) -> None:
        receipt = self.send()

        request = self.sink.received[0]
        for secret in (SECRET, OLD_SECRET):
            payload = Webhook(secret).verify(request.content, dict(request.headers))
        self.assertEqual(list(VALIDATOR.iter_errors(payload)), [])
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.assertEqual((request.method, request.path), ("POST", "/hooks/s3cret"))
        self.assertEqual((headers["content-type"], headers["webhook-id"]), ("application/json", "msg_d-3"))
        self.assertLess(abs(int(headers["webhook-timestamp"]) - time.time()), 5)
        self.assertEqual((receipt.stage, receipt.provider), (Stage.DELIVERED, "127.0.0.1"))

    def test_it_keeps_its_id_and_signs_anew_at_each_attempt(self) -> None:
        self.sink.answers = [(500, {})]
        self.failure()

        self.send(again(UPDATE, 2))

        first, second = ({name.lower(): value for name, value in one.headers.items()} for one in self.sink.received)
        self.assertEqual(first["webhook-id"], second["webhook-id"])
        self.assertEqual(self.sink.received[0].content, self.sink.received[1].content)

    def test_it_sends_cloud_events_where_asked(self) -> None:
        self.send(to=Address(self.to.value, {"secret": SECRET, "format": "cloudevents"}))

        request = self.sink.received[0]
        self.assertEqual(Webhook(SECRET).verify(request.content, dict(request.headers))["specversion"], "1.0")
        self.assertEqual(request.headers["Content-Type"], "application/cloudevents+json")

    def test_it_takes_410_for_good(self) -> None:
        self.sink.answers = [(410, {})]

        self.assertTrue(self.failure().disables)

    def test_it_follows_no_redirect(self) -> None:
        self.sink.answers = [(307, {"Location": f"{self.sink.url}/elsewhere"})]

        failed = self.failure()

        self.assertIn("change the webhook's address", failed.detail)
        self.assertEqual((failed.is_permanent, len(self.sink.received)), (False, 1))

    def test_it_waits_as_the_standard_says(self) -> None:
        for message, table in ((UPDATE, WAITS), (PAGE, PAGE_WAITS)):
            for attempt in range(1, len(table) + 3):
                expected = table[min(attempt, len(table)) - 1]
                with self.subTest(message.kind, attempt=attempt):
                    waits = {wait_before_next(again(message, attempt)) for _ in range(50)}

                    self.assertTrue(all(expected * 0.8 <= wait <= expected * 1.2 for wait in waits))
                    self.assertGreater(len(waits), 40)

    def test_it_waits_as_long_as_receivers_ask(self) -> None:
        for status, headers, attempt, least in (
            (429, {"Retry-After": "90"}, 1, 90),
            (503, {"Retry-After": "1"}, 2, 240),
            (404, {}, 1, 4),
            (500, {}, 3, 1440),
        ):
            self.sink.answers = [(status, headers)]
            with self.subTest(status):
                failed = self.failure(again(UPDATE, attempt))

                self.assertFalse(failed.is_permanent)
                self.assertGreaterEqual(failed.retry_after, least)

    def test_it_says_whether_it_may_have_arrived(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]

        failed = self.failure(to=Address(f"http://127.0.0.1:{port}/", self.to.data))

        self.assertEqual((failed.may_have_arrived, failed.is_permanent), (False, False))
        self.assertGreater(failed.retry_after, 0)

    def test_it_ignores_what_receivers_write(self) -> None:
        self.sink.body = b"x" * 100_000

        self.assertEqual(self.send().stage, Stage.DELIVERED)

    def test_it_sends_nothing_unsigned(self) -> None:
        self.assertTrue(self.failure(to=Address(self.to.value)).is_permanent)
        self.assertEqual(self.sink.received, [])

    def test_it_reaches_no_address_inside(self) -> None:
        with override_settings(OUTBOUND_ALLOW=[]):
            self.assertTrue(self.failure().is_permanent)
            for trusted in (False, True):
                to = Address(self.to.value, self.to.data, is_trusted=trusted)
                self.assertTrue(self.failure(to=to).is_permanent)
            with self.assertRaises(DomainError):
                channel_of("webhook").validate(self.to.value)

        self.assertEqual(self.sink.received, [])

    def test_it_shows_others_the_host_only(self) -> None:
        channel = channel_of("webhook")

        self.assertEqual(channel.mask("https://hooks.test/s3cret?key=1"), "hooks.test/…")
        with self.assertRaises(DomainError):
            channel.validate("https://hooks.test/" + "x" * 1000)

    def test_it_says_a_page_in_full(self) -> None:
        self.send(PAGE)

        message = json.loads(self.sink.received[0].content)["data"]["message"]
        self.assertEqual((message["answer_url"], message["lines"][0]), (PAGE.answer_url, PAGE.lines[0]))
