import time

from django.test import SimpleTestCase

from notifications.channels.email.inbound.replies import reply_of

OUTLOOK = """From: Incident Response <incidents@example.org>
Sent: Monday, 30 November 2026 09:12
To: Ana <ana@example.com>
Subject: [INC-7] Checkout is down

Checkout is down
Severity: Critical
Since: now
You are on call.
Next: Ben
"""


class ReplyTests(SimpleTestCase):
    def test_it_keeps_what_was_written_and_drops_what_is_quoted(self):
        wrote = "On Mon, 30 Nov 2026 at 09:12, Incident Response <incidents@example.org>\nwrote:\n\n> Checkout is down"
        table = {
            f"It is the load balancer.\n\n    indented\n\n{wrote}": "It is the load balancer.\n\n    indented",
            f"Restarted it.\n\n{OUTLOOK}": "Restarted it.",
            f"Restarted it.\n\n________________________________\n{OUTLOOK}": "Restarted it.",
            "Ja.\n\nAm Mo., 30. Nov. 2026 um 09:12 Uhr schrieb Incidents <i@example.org>:\n\n> Down": "Ja.",
            "Je regarde.\n\nLe lun. 30 nov. 2026 à 09:12, Incidents <i@example.org> a écrit :\n\n> Down": "Je regarde.",
            "> Is it up?\n\nYes.\n\n> And the other?\n\nNo.": "Yes.\n\n\nNo.",
            "Two\n\nparagraphs.": "Two\n\nparagraphs.",
            "Done.\n\n-- \nAna": "Done.\n\n-- \nAna",
            "> only\n> quotes": "> only\n> quotes",
            "": "",
        }
        for text, reply in table.items():
            with self.subTest(text[:30]):
                self.assertEqual(reply_of(text), reply)

    def test_it_keeps_long_replies_whole(self):
        text = "\n".join(f"{number}: a line of the log" for number in range(1000))

        self.assertEqual(reply_of(text), text)
        self.assertEqual(reply_of(f"{text}\n\nOn Mon, 30 Nov 2026, Ana <a@example.org> wrote:\n> quoted"), text)

    def test_it_is_not_slowed_down_by_anything(self):
        hostile = ["Am 1.1. schrieb " * 5_000, "\n" * 90_000, "\t\n" * 40_000, "> " * 40_000, "On Mon " * 10_000]
        for text in hostile:
            with self.subTest(text[:10]):
                begun = time.monotonic()
                reply_of(f"a{text}b")

                self.assertLess(time.monotonic() - begun, 10)
