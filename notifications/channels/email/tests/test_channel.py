from django.core import mail
from django.test import SimpleTestCase, override_settings

from core.errors import DomainError
from notifications.channels.email.channel import CHANNEL, server
from notifications.channels.email.tests.servers import Sink, mail_server
from notifications.channels.port import Address, Failed, Message, Stage, channel_of

PAGE = Message(key="delivery-1", kind="page", title="Checkout is down", incident=7, reference="INC-7")
TO = Address("ana@example.com")
SMTP = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1"}
CONSOLE = "django.core.mail.backends.console.EmailBackend"


class ChannelTests(SimpleTestCase):
    def test_it_is_registered(self):
        self.assertIs(channel_of("email"), CHANNEL)
        self.assertTrue(CHANNEL.is_personal and CHANNEL.is_room)

    def test_it_sends_by_the_operators_server(self):
        sink = Sink()
        with mail_server(sink) as port, override_settings(**SMTP, EMAIL_PORT=port):
            receipt = CHANNEL.send(PAGE, TO)

        self.assertEqual(receipt.stage, Stage.ACCEPTED)
        self.assertIn(receipt.provider_id, sink.read()["Message-ID"])
        self.assertRegex(receipt.provider_id, r"^7-[a-z2-7]{12}-[a-z2-7]{16}$")

    def test_it_gives_mails_to_other_backends_whole(self):
        CHANNEL.send(PAGE, TO)

        sent = mail.outbox[0].message()
        self.assertEqual(sent["Subject"], "[INC-7] Checkout is down")
        self.assertEqual(sent["Auto-Submitted"], "auto-generated")
        self.assertIn("-", sent["Message-ID"])
        self.assertEqual(sent.get_content_type(), "multipart/alternative")

    def test_it_refuses_for_good_what_cannot_be_addressed(self):
        with self.assertRaises(Failed) as caught:
            CHANNEL.send(PAGE, Address("аna@example.com"))

        self.assertTrue(caught.exception.is_permanent)

    def test_it_asks_the_operator_for_a_server(self):
        cases = [(CONSOLE, True, "Set EMAIL_URL"), (CONSOLE, False, ""), (SMTP["EMAIL_BACKEND"], True, "")]
        for backend, is_secure, words in cases:
            with (
                self.subTest(backend, secure=is_secure),
                override_settings(EMAIL_BACKEND=backend, SECURE_TRANSPORT=is_secure),
            ):
                self.assertEqual(CHANNEL.why_unusable()[:13], words)

    def test_it_takes_addresses_in_one_form(self):
        table = {
            " Ana@Example.COM ": "ana@example.com",
            "ana+oncall@example.com": "ana+oncall@example.com",
            "ana@Zürich.example": "ana@zürich.example",
        }

        self.assertEqual({text: CHANNEL.validate(text) for text in table}, table)

    def test_it_refuses_other_addresses_and_says_why(self):
        table = {
            "": "valid email",
            "ana": "valid email",
            "ana@example.com\nBcc: eve@example.com": "valid email",
            "ana@example.com, eve@example.com": "valid email",
            "Ana <ana@example.com>": "valid email",
            "аna@example.com": "ASCII",
            f"ana@{'x' * 64}.com": "valid email",
            f"{'a' * 60}@{'.'.join(['x' * 60] * 4)}.com": "",
        }
        for text, words in table.items():
            with self.subTest(text[:40]):
                with self.assertRaises(DomainError) as caught:
                    CHANNEL.validate(text)

                self.assertEqual(caught.exception.field, "address")
                self.assertIn(words, caught.exception.message)

    def test_it_masks_addresses(self):
        self.assertEqual(CHANNEL.mask("ana@example.com"), "a…@example.com")

    def test_it_introduces_itself_by_its_public_name(self):
        table = {
            "https://incidents.example.org/": "incidents.example.org",
            "http://127.0.0.1:8000": "[127.0.0.1]",
            "http://[::1]:8000": "[IPv6:::1]",
        }
        for url, name in table.items():
            with override_settings(PUBLIC_URL=url):
                self.assertEqual(server().name, name)
