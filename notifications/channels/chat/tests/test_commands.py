"""What people type in chats."""

from django.test import SimpleTestCase

from notifications.channels.chat.commands import Command, help_lines, parse


class CommandTests(SimpleTestCase):
    def test_it_reads_what_people_type(self) -> None:
        for text, expected in (
            ("", Command("help")),
            ("help", Command("help")),
            ("HELP me", Command("help", text="me")),
            ("mine", Command("mine")),
            ("list", Command("mine")),
            ("show INC-7", Command("show", 7)),
            ("INC-7", Command("show", 7)),
            ("inc-7", Command("show", 7)),
            ("#7", Command("show", 7)),
            ("7", Command("show", 7)),
            ("ack INC-7", Command("acknowledge", 7)),
            ("Acknowledge  inc7", Command("acknowledge", 7)),
            ("ack INC-7 looking into it", Command("acknowledge", 7, "looking into it")),
            ("resolve 7", Command("resolve", 7)),
            ("take INC-7", Command("take", 7)),
            ("note INC-7 Fixed the  queue", Command("note", 7, "Fixed the queue")),
            ("oncall", Command("oncall")),
            ("who is on call", Command("oncall")),
            ("oncall Primary", Command("oncall", text="Primary")),
            ("link ABCD2345", Command("link", text="ABCD2345")),
            ("start ABCD2345", Command("link", text="ABCD2345")),
        ):
            with self.subTest(text):
                self.assertEqual(parse(text), expected)

    def test_it_answers_what_it_does_not_know_with_help(self) -> None:
        for text, complaint in (
            ("explode", "There is no command “explode”."),
            ("ack", "Which incident? For example: ack INC-1042."),
            ("ack everything", "Which incident? For example: ack INC-1042."),
            ("note INC-7", "Add the note: note INC-7 what you found."),
        ):
            with self.subTest(text):
                command = parse(text)

                self.assertEqual((command.action, command.complaint), ("help", complaint))
                self.assertEqual(help_lines("/incident ", command.complaint)[0], complaint)
