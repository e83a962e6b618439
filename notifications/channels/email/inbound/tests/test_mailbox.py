from dataclasses import dataclass
from unittest import mock

from django.db import OperationalError
from django.test import TestCase, override_settings
from structlog.testing import capture_logs

from notifications.channels.email.inbound.mailbox import MailboxUnavailable, fetch_new, poll_mailbox
from notifications.channels.email.inbound.receiving import MAX_BYTES
from notifications.channels.email.inbound.tests.imap import PASSWORD, USER, Folder, imap_server
from notifications.channels.email.inbound.tests.mails import mail
from notifications.channels.email.tests.servers import client_tls, server_tls
from notifications.models import InboundMail
from notifications.tests.factories import now


@dataclass(frozen=True)
class Account:
    port: int
    host: str = "127.0.0.1"
    user: str = USER
    password: str = PASSWORD
    folder: str = "INBOX"
    security: str = ""


class MailboxTests(TestCase):
    def setUp(self) -> None:
        self.folder = Folder({4: mail(identity="<1@x.example>"), 9: mail(identity="<2@x.example>")}, seen={4})

    def test_it_stores_unread_mails_and_marks_them_as_read(self):
        with imap_server(self.folder) as port:
            number = fetch_new(Account(port), now())

        row = InboundMail.objects.get()
        self.assertEqual((number, self.folder.seen), (1, {4, 9}))
        self.assertEqual(bytes(row.raw), self.folder.mails[9])
        self.assertEqual((row.sender, row.subject), ("ana@example.com", "Checkout is down"))
        self.assertNotIn("EXPUNGE", self.folder.commands)

    def test_it_stores_a_mail_once_if_it_dies_before_marking_it(self):
        self.folder.drops_at = "UID STORE"
        with imap_server(self.folder) as port:
            with self.assertRaises(MailboxUnavailable):
                fetch_new(Account(port), now())
            kept = InboundMail.objects.count()
            self.folder.drops_at = ""
            again = fetch_new(Account(port), now())

        self.assertEqual((kept, again, InboundMail.objects.count()), (1, 0, 1))
        self.assertEqual(self.folder.seen, {4, 9})

    def test_it_leaves_out_a_mail_that_the_server_withholds(self):
        self.folder = Folder({number: mail(identity=f"<{number}@x.example>") for number in range(1, 4)}, withheld={1})
        with imap_server(self.folder) as port, capture_logs() as logs:
            stored = [fetch_new(Account(port), now()) for _ in range(2)]
            self.folder.withheld.clear()
            stored.append(fetch_new(Account(port), now()))

        self.assertEqual((stored, self.folder.seen), ([2, 0, 1], {1, 2, 3}))
        self.assertEqual([(one["event"], one["uid"], one["kept"]) for one in logs], [("mail_withheld", "1", 1)])

    def test_it_goes_on_after_a_mail_at_which_the_server_breaks_off(self):
        self.folder = Folder({1: mail(identity="<1@x.example>"), 2: mail(identity="<2@x.example>")})
        self.folder.drops_at = "UID FETCH"
        with imap_server(self.folder) as port:
            with self.assertRaises(MailboxUnavailable):
                fetch_new(Account(port), now())
            self.folder.drops_at = ""
            fetch_new(Account(port), now())

        self.assertEqual(self.folder.seen, {1, 2})
        stored = [bytes(row.raw) for row in InboundMail.objects.order_by("pk")]
        self.assertEqual(stored, [self.folder.mails[2], self.folder.mails[1]])

    def test_it_leaves_a_mail_unread_that_it_could_not_store(self):
        with (
            imap_server(self.folder) as port,
            mock.patch("notifications.channels.email.inbound.mailbox.receive", side_effect=OperationalError("gone")),
            self.assertRaises(OperationalError),
        ):
            fetch_new(Account(port), now())

        self.assertEqual(self.folder.seen, {4})

    def test_it_keeps_the_beginning_of_a_mail_that_is_too_large(self):
        self.folder.mails[9] = mail() + b"x" * MAX_BYTES
        with imap_server(self.folder) as port:
            fetch_new(Account(port), now())

        row = InboundMail.objects.get()
        self.assertTrue(row.is_cut)
        self.assertEqual((len(row.raw), row.byte_count), (MAX_BYTES, len(self.folder.mails[9])))

    def test_it_speaks_tls(self):
        with imap_server(self.folder, server_tls()) as port:
            number = fetch_new(Account(port, security="tls"), now(), tls=client_tls())

        self.assertEqual(number, 1)

    def test_it_says_why_a_mailbox_cannot_be_read_without_its_password(self):
        with imap_server(self.folder) as port, imap_server(self.folder, server_tls()) as secured:
            cases = {
                "user name or password": Account(port, password="wrong-secret"),
                "no such folder": Account(port, folder="Sent"),
                "certificate": Account(secured, security="tls"),
                "refused": Account(1),
            }
            for words, account in cases.items():
                with self.subTest(words):
                    with self.assertRaises(MailboxUnavailable) as caught:
                        fetch_new(account, now())

                    self.assertIn(words, str(caught.exception))
                    self.assertNotIn(account.password, str(caught.exception))

    def test_it_does_nothing_without_a_mailbox(self):
        with override_settings(IMAP=None):
            self.assertEqual(poll_mailbox(now()), 0)
