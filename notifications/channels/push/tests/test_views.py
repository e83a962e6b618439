"""How a page subscribes its browser."""

import json

from django.test import TestCase, override_settings

from notifications.channels.push import vapid
from notifications.channels.push.tests.test_encryption import AUTH, RECEIVER_POINT
from notifications.channels.push.tests.test_subscription import ENDPOINT, subscription
from notifications.models import ContactMethod
from users.tests.factories import client_of, make_reporter

URL = "/api/v1/me/contact-methods/"
SETTINGS = {"VAPID_PRIVATE_KEY": vapid.new_private_key(), "VAPID_SUBJECT": "mailto:ops@example.org"}


class SubscribingTests(TestCase):
    def setUp(self) -> None:
        self.client_of_person = client_of(make_reporter())

    def add(self, **data: object):
        return self.client_of_person.post(URL, {"kind": "push", **data}, format="json")

    @override_settings(**SETTINGS)
    def test_it_gives_the_key_to_subscribe_with(self) -> None:
        answer = self.client_of_person.get(f"{URL}push-key/").json()

        self.assertEqual(answer, {"key": vapid.public_key(), "why_unusable": ""})
        self.assertNotIn(SETTINGS["VAPID_PRIVATE_KEY"], str(answer))

    @override_settings(VAPID_PRIVATE_KEY="")
    def test_it_says_that_push_is_not_set_up(self) -> None:
        answer = self.client_of_person.get(f"{URL}push-key/").json()

        self.assertEqual(answer["key"], "")
        self.assertIn("VAPID_PRIVATE_KEY", answer["why_unusable"])
        self.assertEqual(self.add(address=subscription()).status_code, 400)

    @override_settings(**SETTINGS)
    def test_it_takes_a_subscription_whole_or_in_parts(self) -> None:
        keys = {"p256dh": RECEIVER_POINT, "auth": AUTH}
        for data in ({"address": subscription()}, {"address": ENDPOINT, "data": {"keys": keys}}):
            with self.subTest(data):
                answer = self.add(**data)

                self.assertEqual(answer.status_code, 201, answer.content)
                method = ContactMethod.objects.get()
                self.assertEqual(json.loads(method.address), {"endpoint": ENDPOINT, "keys": keys})
                self.assertEqual((method.data, answer.json()["state"]), ({}, "unverified"))
                method.delete()

    @override_settings(**SETTINGS)
    def test_it_refuses_what_is_no_subscription(self) -> None:
        for data in (
            {"address": ENDPOINT},
            {"address": ENDPOINT, "data": {"keys": {}}},
            {"address": ENDPOINT, "data": {"keys": "x"}},
            {"address": ENDPOINT, "data": {"secret": "x"}},
            {"address": subscription(endpoint="https://127.0.0.1/x")},
            {"kind": "email", "address": "a@example.org", "data": {"keys": {}}},
        ):
            with self.subTest(data):
                self.assertEqual(self.add(**data).status_code, 400)
        self.assertFalse(ContactMethod.objects.exists())
