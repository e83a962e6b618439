"""What browsers hand over when somebody subscribes."""

import json

from django.test import SimpleTestCase

from core.errors import DomainError
from notifications.channels.push.subscription import mask, parse_subscription, validate
from notifications.channels.push.tests.test_encryption import AUTH, RECEIVER_POINT

ENDPOINT = "https://updates.push.services.test/wpush/v2/gAAAAABk"


def subscription(**changes):
    keys = {"p256dh": RECEIVER_POINT, "auth": AUTH, **changes.pop("keys", {})}
    return json.dumps({"endpoint": ENDPOINT, "expirationTime": None, "keys": keys, **changes})


class SubscriptionTests(SimpleTestCase):
    def test_it_reads_what_browsers_write(self) -> None:
        stored = validate(subscription())

        self.assertEqual(json.loads(stored), {"endpoint": ENDPOINT, "keys": {"p256dh": RECEIVER_POINT, "auth": AUTH}})
        self.assertEqual(validate(stored), stored)
        self.assertEqual(parse_subscription(stored).service, "updates.push.services.test")

    def test_it_reads_every_kind_of_base64(self) -> None:
        written = RECEIVER_POINT.replace("-", "+").replace("_", "/") + "="

        self.assertEqual(
            validate(subscription(keys={"p256dh": written, "auth": AUTH + "=="})), validate(subscription())
        )

    def test_it_shows_others_the_service_only(self) -> None:
        self.assertEqual(mask(validate(subscription())), "updates.push.services.test/…")

    def test_it_refuses_all_else(self) -> None:
        off_curve = "B" + "A" * 86
        for text in (
            *("", "null", "[]", "{}", "https://a.test/", "[" * 100_000, '{"endpoint": 1, "keys": {}}'),
            *(subscription(endpoint=address) for address in ("http://a.test/", "ftp://a.test/", "", "https://")),
            *(subscription(endpoint=address) for address in ("https://127.0.0.1/", "https://localhost/x", None)),
            subscription(endpoint="https://a.test/" + "x" * 900),
            *(
                subscription(keys={"p256dh": value})
                for value in (None, "", "AAAA", off_curve, RECEIVER_POINT[:-4], "*")
            ),
            *(subscription(keys={"auth": value}) for value in (None, 1, "", "AAAA", AUTH + "AAAA", "ä")),
            '{"endpoint": "https://a.test/", "keys": null}',
        ):
            with self.subTest(text[:80]), self.assertRaises(DomainError) as caught:
                validate(text)
            self.assertEqual(caught.exception.field, "address")
