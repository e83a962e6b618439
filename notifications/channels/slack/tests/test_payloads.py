"""What Slack sends, as it documents it."""

import json
from urllib.parse import urlencode

from django.test import SimpleTestCase

from notifications.channels.slack.payloads import Unreadable, read_command, read_interaction
from notifications.channels.slack.tests.fake import FakeSlack


def form(**payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


class PayloadTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.slack = FakeSlack()
        cls.addClassCleanup(cls.slack.stop)

    def test_it_reads_a_pressed_button(self) -> None:
        (asked,) = read_interaction(self.slack.press("U0ADA00001", "incident.acknowledge", "1042"))

        self.assertEqual(
            (asked.address, asked.action, asked.number, asked.text), ("U0ADA00001", "acknowledge", 1042, "")
        )
        self.assertTrue(asked.reply["response_url"].startswith(self.slack.address))

    def test_it_reads_a_button_on_another_thing_with_what_was_shown(self) -> None:
        (asked,) = read_interaction(self.slack.press("U0ADA00001", "incident.approve_run", "7:0123456789abcdef"))

        self.assertEqual((asked.action, asked.number, asked.text), ("approve_run", 7, "0123456789abcdef"))

    def test_it_names_each_press_once(self) -> None:
        body = self.slack.press("U0ADA00001", "incident.acknowledge", "1042")
        names = {read_interaction(one)[0].name for one in (body, body)}
        others = {
            read_interaction(self.slack.press(user, "incident.acknowledge", number))[0].name
            for user, number in (("U0ADA00001", "1042"), ("U0BEN00001", "1042"), ("U0ADA00001", "1043"))
        }

        self.assertEqual((len(names), len(others), names & others), (1, 3, set()))

    def test_it_reads_a_note(self) -> None:
        body = self.slack.press(
            "U0ADA00001", "incident.note_text", " Fixed. ", kind="plain_text_input", block="note.1042"
        )

        (asked,) = read_interaction(body)

        self.assertEqual((asked.action, asked.number, asked.text), ("note", 1042, "Fixed."))

    def test_it_takes_other_interactions_for_nothing(self) -> None:
        person = {"id": "U0ADA00001"}
        self.assertEqual(read_interaction(form(type="view_submission", user=person)), [])
        self.assertEqual(read_interaction(form(type="block_actions", user=person, actions=[{"action_id": "else"}])), [])
        self.assertEqual(read_interaction(form(type="block_actions", user=person, actions="x")), [])

    def test_it_keeps_a_button_without_a_number_for_the_answer(self) -> None:
        (asked,) = read_interaction(self.slack.press("U0ADA00001", "incident.acknowledge", "x" * 30))

        self.assertIsNone(asked.number)

    def test_it_refuses_what_is_not_slacks(self) -> None:
        deep = urlencode({"payload": "[" * 100_000}).encode()
        for body in (
            b"",
            b"\xff",
            b"payload=",
            b"payload=[]",
            b"payload={",
            b"other=1",
            form(type="block_actions"),
            deep,
        ):
            with self.subTest(body[:30]), self.assertRaises(Unreadable):
                read_interaction(body)
        with self.assertRaises(Unreadable):
            read_command(b"text=help&user_id=")

    def test_it_reads_a_command(self) -> None:
        asked = read_command(self.slack.command("U0ADA00001", "ack INC-7 on it"))

        assert asked is not None
        self.assertEqual(
            (asked.address, asked.action, asked.number, asked.text), ("U0ADA00001", "acknowledge", 7, "on it")
        )

    def test_it_lets_slack_look_whether_we_are_there(self) -> None:
        self.assertIsNone(read_command(b"ssl_check=1&token=x"))
