"""Browser push, against a push service that judges what it gets."""

import base64
import json
import re
import socket
import time
from dataclasses import replace
from io import StringIO
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, override_settings
from py_vapid import Vapid02

from notifications.channels.port import Address, Failed, Message, Stage, channel_of
from notifications.channels.push import channel, vapid
from notifications.channels.push.encryption import point_of
from notifications.channels.push.subscription import to_base64
from notifications.channels.push.tests.decrypting import decrypt
from notifications.channels.push.tests.test_payload import PAGE
from notifications.channels.push.tests.test_subscription import subscription
from notifications.tests.sinks import Received, start_sink
from tests.reported import reported_failure

KEY = vapid.new_private_key()
AUTH = bytes(range(16))


def judge(request: Received, url: str) -> None:
    """Fail unless a push service would take it (RFC 8030, 8188, 8292)."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert (request.method, headers["content-encoding"]) == ("POST", "aes128gcm")
    assert len(request.content) <= 4096
    assert re.fullmatch("[0-9]+", headers["ttl"]) and int(headers["ttl"]) <= 28 * 86_400
    assert headers["urgency"] in {"very-low", "low", "normal", "high"}
    assert re.fullmatch("[A-Za-z0-9_-]{1,32}", headers.get("topic", "x"))
    assert Vapid02.verify(headers["authorization"])
    token, key = re.fullmatch(r"vapid t=([^,]+),\s*k=([^,]+)", headers["authorization"]).groups()
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == url and claims["sub"].startswith("mailto:") and key == vapid.public_key()
    assert time.time() < claims["exp"] <= time.time() + 86_400


@override_settings(VAPID_PRIVATE_KEY=KEY, VAPID_SUBJECT="mailto:ops@example.org")
class ChannelTests(SimpleTestCase):
    def setUp(self) -> None:
        self.service = start_sink(self, is_tls=True)
        # Connections of other tests trust another certificate.
        self.enterContext(mock.patch.object(channel, "_client", replace(channel._client)))
        self.browser = generate_private_key(SECP256R1())
        self.to = self.address(self.service.url)

    def address(self, url: str) -> Address:
        keys = {"p256dh": to_base64(point_of(self.browser.public_key())), "auth": to_base64(AUTH)}
        return Address(subscription(endpoint=f"{url}/wpush/abc", keys=keys))

    def send(self, message: Message = PAGE, to: Address | None = None):
        return channel_of("push").send(message, to or self.to)

    def test_it_hands_over_what_only_the_browser_can_read(self) -> None:
        self.service.answers = [(201, {})]

        receipt = self.send()

        request = self.service.received[0]
        judge(request, self.service.url)
        notification = json.loads(decrypt(request.content, self.browser, AUTH))["notification"]
        self.assertEqual((request.path, notification["title"]), ("/wpush/abc", PAGE.title))
        self.assertEqual((receipt.stage, receipt.provider), (Stage.ACCEPTED, "127.0.0.1"))
        self.assertNotIn(b"Database", request.content)

    def test_it_says_how_urgent_it_is_and_for_how_long(self) -> None:
        for message, expected in (
            (PAGE, ("14400", "high", "incident-7")),
            (Message(key="a", kind="code", title="123456"), ("600", "high", None)),
            (
                Message(key="a", kind="update", title="x", importance="low", incident=7),
                ("86400", "normal", "incident-7"),
            ),
            (Message(**{**vars(PAGE), "count": 20}), ("14400", "high", None)),
        ):
            with self.subTest(message.kind, count=message.count):
                self.send(message)

                headers = self.service.received[-1].headers
                judge(self.service.received[-1], self.service.url)
                self.assertEqual((headers["TTL"], headers["Urgency"], headers.get("Topic")), expected)

    def test_it_encrypts_each_message_anew(self) -> None:
        self.send()
        self.send()

        first, second = (request.content for request in self.service.received)
        self.assertNotEqual(first[:16], second[:16])
        self.assertNotEqual(first[21:86], second[21:86])

    @reported_failure(25)
    def test_it_ends_subscriptions_that_browsers_ended(self) -> None:
        for status in (404, 410):
            self.service.answers = [(status, {})]
            with self.subTest(status), self.assertRaises(Failed) as caught:
                self.send()
            self.assertTrue(caught.exception.disables)

    def test_it_says_what_may_be_tried_again(self) -> None:
        for status, headers, is_permanent, wait in (
            (429, {"Retry-After": "120"}, False, 120.0),
            (503, {}, False, None),
            (400, {}, True, None),
            (401, {}, True, None),
            (403, {}, True, None),
            (302, {"Location": "https://elsewhere.test/"}, True, None),
        ):
            self.service.answers = [(status, headers)]
            with self.subTest(status), self.assertRaises(Failed) as caught:
                self.send()
            failed = caught.exception
            self.assertEqual((failed.is_permanent, failed.disables, failed.retry_after), (is_permanent, False, wait))
            self.assertNotIn("/wpush/", failed.detail)

    def test_it_sends_less_to_services_that_take_less(self) -> None:
        self.service.answers = [(413, {}), (201, {})]

        self.send(Message(**{**vars(PAGE), "body": "x" * 10_000}))

        first, second = self.service.received
        self.assertEqual(len(first.content), 4096)
        self.assertLess(len(second.content), 2200)
        self.assertIn("navigate", json.loads(decrypt(second.content, self.browser, AUTH))["notification"])

    def test_it_says_when_nobody_answers(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]

        with self.assertRaises(Failed) as caught:
            self.send(to=self.address(f"https://127.0.0.1:{port}"))

        self.assertEqual((caught.exception.is_permanent, caught.exception.may_have_arrived), (False, False))

    def test_it_reaches_no_address_inside(self) -> None:
        with override_settings(OUTBOUND_ALLOW=[]), self.assertRaises(Failed) as caught:
            self.send()

        self.assertTrue(caught.exception.is_permanent)
        self.assertEqual(self.service.received, [])


class KeyTests(SimpleTestCase):
    def test_it_says_what_the_operator_must_set(self) -> None:
        contact = "mailto:ops@example.org"
        for key, subject, expected in (
            ("", contact, "must set VAPID_PRIVATE_KEY"),
            ("nonsense", contact, "is not a key"),
            ("A" * 43, contact, "is not a key"),
            (KEY, "", "must set VAPID_SUBJECT"),
            (KEY, "mailto:ops@localhost", "must set VAPID_SUBJECT"),
            (KEY, contact, ""),
            (KEY, "https://example.org/contact", ""),
        ):
            with self.subTest(key[:9], subject=subject), self.settings(VAPID_PRIVATE_KEY=key, VAPID_SUBJECT=subject):
                reason = vapid.why_unusable()

                self.assertIn(expected, reason)
                self.assertEqual(bool(reason), bool(expected))

    def test_it_sends_nothing_without_a_key(self) -> None:
        with self.settings(VAPID_PRIVATE_KEY=""), self.assertRaises(Failed) as caught:
            channel_of("push").send(PAGE, Address(subscription()))

        self.assertTrue(caught.exception.is_permanent)

    def test_it_makes_keys_that_it_can_use(self) -> None:
        output = StringIO()

        call_command("make_vapid_key", "ops@example.org", stdout=output)

        key, subject = (line.split("=", 1)[1] for line in output.getvalue().splitlines())
        with self.settings(VAPID_PRIVATE_KEY=key, VAPID_SUBJECT=subject):
            self.assertEqual((vapid.why_unusable(), subject), ("", "mailto:ops@example.org"))
            self.assertEqual(len(vapid.public_key()), 87)
        for contact in ("", "ops", "ops@localhost", "http://example.org"):
            with self.subTest(contact), self.assertRaises(CommandError):
                call_command("make_vapid_key", contact)
