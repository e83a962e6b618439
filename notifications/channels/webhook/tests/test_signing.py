"""Signatures that any library of the standard verifies."""

import base64
import datetime as dt
import hashlib
import hmac

from django.test import SimpleTestCase
from standardwebhooks import Webhook, WebhookVerificationError

from notifications.channels.webhook.signing import message_id, new_secret, signed_headers

NOW = dt.datetime.now(dt.UTC)
BODY = '{"type":"test","grüße":"⬢"}'.encode()


class SigningTests(SimpleTestCase):
    def test_it_signs_the_example_of_the_standards_libraries(self) -> None:
        moment = dt.datetime.fromtimestamp(1_614_265_330, dt.UTC)

        headers = signed_headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], moment
        )

        self.assertEqual(headers["webhook-timestamp"], "1614265330")
        self.assertEqual(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")

    def test_it_is_verified_by_either_secret_while_one_is_replaced(self) -> None:
        new, old, other = new_secret(), new_secret(), new_secret()
        now = dt.datetime.now(dt.UTC)

        headers = signed_headers(message_id("d1"), BODY, [new, old], now)

        for secret in (new, old):
            self.assertEqual(Webhook(secret).verify(BODY, headers)["grüße"], "⬢")
        for secret, body, changed in (
            (other, BODY, {}),
            (new, BODY + b" ", {}),
            (new, BODY, {"webhook-id": "msg_d2"}),
            (new, BODY, {"webhook-timestamp": str(int(now.timestamp()) + 1)}),
        ):
            with self.subTest(changed), self.assertRaises(WebhookVerificationError):
                Webhook(secret).verify(body, {**headers, **changed})

    def test_it_signs_the_same_moment_in_every_zone(self) -> None:
        secret, zone = new_secret(), dt.timezone(dt.timedelta(hours=9))

        self.assertEqual(
            signed_headers("msg_1", BODY, [secret], NOW), signed_headers("msg_1", BODY, [secret], NOW.astimezone(zone))
        )

    def test_it_makes_secrets_as_the_standard_asks(self) -> None:
        secret = new_secret()

        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        self.assertTrue(secret.startswith("whsec_") and 24 <= len(key) <= 64)
        self.assertNotEqual(secret, new_secret())
        signature = hmac.digest(key, b"msg_1.%d." % NOW.timestamp() + BODY, hashlib.sha256)
        headers = signed_headers("msg_1", BODY, [secret], NOW)
        self.assertEqual(headers["webhook-signature"], f"v1,{base64.b64encode(signature).decode()}")

    def test_it_puts_no_dot_into_an_id(self) -> None:
        self.assertEqual(message_id("a-1"), "msg_a-1")
        for key in ("a.b", "", "ä", "x" * 65, "a b\r\n"):
            with self.subTest(key):
                self.assertRegex(message_id(key), r"\Amsg_[0-9a-f]{64}\Z")
