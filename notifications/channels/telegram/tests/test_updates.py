"""What Telegram sends the bot, as it documents it."""

from typing import Any

from django.test import SimpleTestCase

from notifications.channels.chat.asked import Asked
from notifications.channels.telegram.updates import read_update

ADA = {"id": 111, "is_bot": False, "first_name": "Ada"}
PRIVATE = {"id": 111, "type": "private"}
GROUP = {"id": -100222, "type": "supergroup", "title": "Incidents"}


def message(text: str, chat: dict[str, Any] = PRIVATE, **more: Any) -> Asked | None:
    return read_update({"update_id": 5, "message": {"message_id": 9, "from": ADA, "chat": chat, "text": text, **more}})


def pressed(data: str, chat: dict[str, Any] = PRIVATE) -> Asked | None:
    query = {"id": "77", "from": ADA, "data": data, "message": {"message_id": 8, "chat": chat}}
    return read_update({"update_id": 6, "callback_query": query})


class UpdateTests(SimpleTestCase):
    def test_it_reads_commands(self) -> None:
        for text, action, number, rest in (
            ("/start ABCD2345", "link", None, "ABCD2345"),
            ("/link abcd-2345", "link", None, "abcd-2345"),
            ("ABCD2345", "link", None, "ABCD2345"),
            ("/ack INC-7", "acknowledge", 7, ""),
            ("/ack@incident_bot INC-7", "acknowledge", 7, ""),
            ("/note INC-7 Fixed the queue", "note", 7, "Fixed the queue"),
            ("/mine", "mine", None, ""),
            ("/explode", "help", None, "There is no command “explode”."),
            ("/id", "help", None, "This chat's ID is 111."),
            ("hello there", "help", None, ""),
        ):
            with self.subTest(text):
                asked = message(text)

                assert asked is not None
                self.assertEqual((asked.address, asked.action, asked.number, asked.text), ("111", action, number, rest))

    def test_it_answers_in_private_what_is_asked_in_a_group(self) -> None:
        asked = message("/ack INC-7", GROUP)

        assert asked is not None
        self.assertEqual((asked.address, asked.reply["chat"], asked.data), ("111", "111", {"is_public": True}))

    def test_it_listens_in_groups_to_commands_only(self) -> None:
        self.assertIsNone(message("ABCD2345", GROUP))
        self.assertIsNone(message("lunch?", GROUP))

    def test_it_reads_pressed_buttons(self) -> None:
        asked = pressed("acknowledge:1042", GROUP)

        self.assertEqual(
            asked, Asked("telegram", "6", "111", "acknowledge", 1042, reply={"callback": "77", "chat": "111"})
        )
        for data in ("", "acknowledge", "acknowledge:x", "ack:1:2", "acknowledge:" + "9" * 30):
            with self.subTest(data):
                self.assertIsNone(pressed(data))

    def test_it_reads_buttons_on_other_things_with_what_was_shown(self) -> None:
        asked = pressed("approve_run:7:0123456789abcdef")

        assert asked is not None
        self.assertEqual((asked.action, asked.number, asked.text), ("approve_run", 7, "0123456789abcdef"))
        self.assertIsNone(pressed("approve_run:7:0123456789abcdeg"))

    def test_it_reads_a_note_as_the_reply_to_its_form(self) -> None:
        form = {"text": "Note for INC-7: reply to this message."}

        asked = message("Fixed the queue", reply_to_message=form)

        assert asked is not None
        self.assertEqual((asked.action, asked.number, asked.text), ("note", 7, "Fixed the queue"))

    def test_it_takes_everything_else_for_nothing(self) -> None:
        for update in (
            {},
            {"update_id": 1, "edited_message": {"text": "/ack 7"}},
            {"update_id": 1, "message": {"chat": PRIVATE, "text": "/ack 7"}},
            {"update_id": 1, "message": {"from": {**ADA, "is_bot": True}, "chat": PRIVATE, "text": "/ack 7"}},
            {"update_id": 1, "message": {"from": {"id": True}, "chat": PRIVATE, "text": "/ack 7"}},
            {"update_id": 1, "message": "x", "callback_query": []},
        ):
            with self.subTest(str(update)[:60]):
                self.assertIsNone(read_update(update))
