"""What browsers show."""

import datetime as dt
import json

from django.test import SimpleTestCase, override_settings

from notifications.channels.port import Button, Message
from notifications.channels.push.encryption import MOST_BYTES
from notifications.channels.push.payload import payload_of
from tests.reported import reported_failure

PAGE = Message(
    key="d-1",
    kind="page",
    title="INC-7: Database down",
    body="No writes",
    lines=("You are on call: Primary", "Since 03:12"),
    incident=7,
    reference="INC-7",
    severity="critical",
    status="open",
    url="https://incidents.test/incidents/7/",
    answer_url="https://incidents.test/a/abc/",
    buttons=(Button("acknowledge", "Acknowledge"), Button("note", "Add note")),
    occurred_at=dt.datetime(2026, 11, 30, 3, 12, tzinfo=dt.UTC),
    thread="incident-7",
)
EMPTY = Message(key="d-2", kind="update", title="")


def shown(message: Message, most: int = MOST_BYTES) -> dict:
    payload = json.loads(payload_of(message, most))
    assert payload["web_push"] == 8030
    return payload["notification"]


class PayloadTests(SimpleTestCase):
    def test_it_says_what_happened_and_offers_to_acknowledge(self) -> None:
        notification = shown(PAGE)

        self.assertEqual(notification["title"], "INC-7: Database down")
        self.assertEqual(notification["body"], "No writes\nYou are on call: Primary\nSince 03:12")
        self.assertEqual(notification["navigate"], "https://incidents.test/incidents/7/")
        acknowledge = {"action": "acknowledge", "title": "Acknowledge", "navigate": "https://incidents.test/a/abc/"}
        self.assertEqual(notification["actions"], [acknowledge])
        self.assertEqual((notification["requireInteraction"], notification["timestamp"]), (True, 1_796_008_320_000))

    @reported_failure(25)
    @override_settings(PUBLIC_URL="https://incidents.test")
    def test_it_is_always_visible(self) -> None:
        for message in (
            PAGE,
            EMPTY,
            Message(key="c", kind="code", title="\n \t"),
            Message(key="t", kind="test", title="x"),
        ):
            for most in (MOST_BYTES, 2000, 400):
                with self.subTest(message.kind, most=most):
                    notification = shown(message, most)

                    self.assertTrue(notification["title"].strip())
                    self.assertTrue(notification["navigate"].startswith("https://incidents.test"))
                    self.assertIs(notification["silent"], False)
                    # What replaces another notification under its tag is silent unless it asks to be heard.
                    self.assertTrue(notification["tag"] and notification["renotify"])

    def test_it_cuts_the_text_to_what_fits(self) -> None:
        for character in ("x", "ä", "⬢", "\x01", '"', "😀", "\ud800"):
            message = Message(**{**vars(PAGE), "title": character * 300, "body": character * 20_000})
            for most in (MOST_BYTES, 2000):
                with self.subTest(character, most=most):
                    content = payload_of(message, most)

                    self.assertLessEqual(len(content), most)
                    self.assertGreater(len(content), most * 0.6)
                    self.assertEqual(json.loads(content)["notification"]["data"]["incident"], 7)
