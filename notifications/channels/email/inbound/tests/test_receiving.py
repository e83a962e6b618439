from io import BytesIO, StringIO, TextIOWrapper
from unittest import mock

from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import TestCase

from notifications.channels.email.inbound.receiving import MAX_BYTES, receive
from notifications.channels.email.inbound.tests.mails import mail
from notifications.models import InboundMail
from notifications.tests.factories import now
from notifications.vocabulary import InboundState


def piped(raw: bytes, **options: str | None) -> None:
    with mock.patch("sys.stdin", TextIOWrapper(BytesIO(raw))):
        call_command("receive_mail", stdout=StringIO(), **options)


class ReceivingTests(TestCase):
    def test_it_keeps_a_mail_byte_for_byte(self):
        raw = mail()

        self.assertTrue(receive(raw, now=now(), envelope_sender="", recipient="in+x@example.org"))

        row = InboundMail.objects.get()
        self.assertEqual(bytes(row.raw), raw)
        self.assertEqual(
            (row.state, row.envelope_sender, row.recipient), (InboundState.WAITING, "", "in+x@example.org")
        )
        self.assertIsNotNone(row.due_at)

    def test_it_keeps_each_mail_once(self):
        first, other_sender = mail(), mail(sender="eve@evil.example")

        found = [
            receive(raw, now=now()) for raw in (first, b"Received: again\r\n" + first, other_sender, b"x", b"x", b"y")
        ]

        self.assertEqual(found, [True, False, True, True, False, True])

    def test_it_keeps_a_mail_once_when_two_processes_bring_it(self):
        with mock.patch("notifications.models.InboundMailQuerySet.exists", side_effect=[False, False, True]):
            found = [receive(mail(), now=now()) for _ in range(2)]

        self.assertEqual((found, InboundMail.objects.count()), ([True, False], 1))

    def test_it_keeps_whatever_comes(self):
        hostile = [
            b"\0",
            b"\xff" * 100,
            b"Subject: " + b"x" * 500_000,
            b"From: " + b"(" * 9_000,
            b"Message-ID: \xff\0\n\n",
        ]
        for raw in hostile:
            with self.subTest(raw[:20]):
                self.assertTrue(receive(raw, now=now(), envelope_sender="x" * 900, recipient="\0\ud800"))


class CommandTests(TestCase):
    def test_it_stores_what_is_piped_in(self):
        piped(mail(), sender="ana@example.com", recipient="in@example.org")

        row = InboundMail.objects.get()
        self.assertEqual((row.envelope_sender, row.recipient, row.is_cut), ("ana@example.com", "in@example.org", False))

    def test_it_keeps_the_beginning_of_a_mail_that_is_too_large(self):
        piped(mail() + b"x" * MAX_BYTES)

        row = InboundMail.objects.get()
        self.assertTrue(row.is_cut)
        self.assertGreater(row.byte_count, MAX_BYTES)

    def test_it_has_the_server_try_again_if_the_database_is_away(self):
        for error in (OperationalError("gone"), RuntimeError("anything")):
            with (
                self.subTest(error),
                mock.patch("notifications.management.commands.receive_mail.receive", side_effect=error),
                self.assertRaises(CommandError) as caught,
            ):
                piped(mail())

            self.assertEqual(caught.exception.returncode, 75)

    def test_it_refuses_no_mail_at_all(self):
        with self.assertRaises(CommandError) as caught:
            piped(b"\n")

        self.assertEqual(caught.exception.returncode, 66)
