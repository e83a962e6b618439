"""The command that follows a file."""

import io
import os
import signal
import tempfile
from pathlib import Path
from unittest import mock

from django.core.management import CommandError, call_command
from django.test import TestCase

from logs.lines import Line
from logs.management.commands import tail
from logs.models import LogEntry
from logs.tailing.sending import ToDatabase
from logs.vocabulary import Level


class TailTests(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "app.log"

    def tail(self, **options: object) -> str:
        out = io.StringIO()
        call_command("tail", self.path, service="web", host="h", once=True, stdout=out, **options)
        return out.getvalue()

    def test_it_hands_in_what_a_file_holds(self) -> None:
        self.path.write_text(
            "2026-11-20 10:00:00 INFO up\n2026-11-20 10:00:01 ERROR down\n  at a.b\n2026-11-20 10:00:02 last",
            encoding="utf-8",
        )

        said = self.tail()

        self.assertIn("Sent 3 lines.", said)
        entry = LogEntry.objects.get(level=Level.ERROR)
        self.assertEqual(entry.message, "2026-11-20 10:00:01 ERROR down\n  at a.b")
        self.assertEqual((entry.service, entry.host, entry.timestamp.second), ("web", "h", 1))

    def test_it_hands_in_the_last_lines_though_it_is_told_to_stop_twice(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.path.write_text("2026-11-20 10:00:01 ERROR down\n  at a.b\n", encoding="utf-8")
        out, send = io.StringIO(), ToDatabase.send

        def send_when_told_again(target: ToDatabase, lines: list[Line]) -> int:
            os.kill(os.getpid(), signal.SIGTERM)
            return send(target, lines)

        with (
            mock.patch.object(tail.time, "sleep", side_effect=KeyboardInterrupt),
            mock.patch.object(ToDatabase, "send", send_when_told_again),
        ):
            call_command("tail", self.path, service="web", host="h", from_start=True, stdout=out)

        self.assertIn("Sent 1 lines.", out.getvalue())

    def test_it_takes_more_lines_than_a_batch(self) -> None:
        self.path.write_text("".join(f"2026-11-20 10:00:00 INFO {n}\n" for n in range(1234)), encoding="utf-8")

        self.tail()

        self.assertEqual(LogEntry.objects.count(), 1234)

    def test_it_says_what_is_missing(self) -> None:
        with self.assertRaisesMessage(CommandError, "does not exist"):
            self.tail()
        self.path.write_text("x\n", encoding="utf-8")
        with self.assertRaisesMessage(CommandError, "is not a time zone"):
            self.tail(zone="Nowhere/Town")
        with self.assertRaisesMessage(CommandError, "--key"):
            self.tail(url="http://x.test")
