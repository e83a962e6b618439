"""Messages by Apprise, against stand-ins of the services; which addresses are refused, and what is kept secret."""

import logging
import socket
import time
from ipaddress import ip_network
from typing import Any
from unittest import mock

from apprise.plugins.discord import NotifyDiscord
from django.test import SimpleTestCase, override_settings

from core.errors import DomainError
from notifications.channels.apprise import channel, sending
from notifications.channels.apprise.services import NAMES, mask
from notifications.channels.apprise.tests.fake import FakeServices
from notifications.channels.chat.tests.messages import EXTREMES, page
from notifications.channels.port import Address, Failed, Stage

LOOPBACK = [ip_network("127.0.0.0/8")]


class SendingTests(SimpleTestCase):
    def setUp(self) -> None:
        self.services = FakeServices()
        self.addCleanup(self.services.stop)
        self.enterContext(override_settings(OUTBOUND_ALLOW=LOOPBACK))
        self.enterContext(mock.patch.object(NotifyDiscord, "notify_url", f"{self.services.address}/api/webhooks"))
        self.host = self.services.address.removeprefix("http://")
        self.mattermost = Address(f"mmost://{self.host}/token")

    def refused(self, to: Address | None = None, **changes: Any) -> Failed:
        with self.assertRaises(Failed) as caught:
            channel.send(page(**changes), to or self.mattermost)
        return caught.exception

    def test_it_sends_to_mattermost_discord_ntfy_and_matrix(self) -> None:
        for address, name in (
            (f"mmost://{self.host}/token", "Mattermost"),
            ("discord://1/token", "Discord"),
            (f"ntfy://me:secret@{self.host}/topic", "ntfy"),
            (f"matrix://u:secret@{self.host}/#room", "Matrix"),
        ):
            with self.subTest(name):
                self.services.texts.clear()

                receipt = channel.send(page(), Address(channel.validate(address)))

                self.assertEqual((receipt.stage, receipt.provider), (Stage.ACCEPTED, name))
                self.assertEqual(len(self.services.texts), 1)
                for part in ("INC-1042: Checkout refuses cards", "⬢ Critical · Open", page().url):
                    self.assertIn(part, self.services.texts[0])

    def test_it_sends_every_text_as_one_message(self) -> None:
        for message in EXTREMES:
            for address in (
                *(self.mattermost.value, "discord://1/token"),
                f"ntfy://me:secret@{self.host}/topic",
            ):
                with self.subTest(message.title[:20], address=address[:8]):
                    self.services.texts.clear()

                    channel.send(message, Address(address))

                    self.assertEqual(len(self.services.texts), 1)

    def test_it_hears_the_answer_whatever_other_libraries_did_to_logging(self) -> None:
        logger = logging.getLogger("apprise")
        logger.disabled = True
        self.services.status = 503

        self.assertEqual(self.refused().detail, "Mattermost answered HTTP 503.")

    def test_it_says_what_the_service_answered(self) -> None:
        for status, permanent, disables in (
            (403, True, False),
            (404, True, False),
            (410, True, True),
            (503, False, False),
        ):
            self.services.status = status
            with self.subTest(status):
                failed = self.refused()

                self.assertEqual((failed.is_permanent, failed.disables), (permanent, disables))
                self.assertEqual(failed.detail, f"Mattermost answered HTTP {status}.")

    def test_it_follows_no_redirect(self) -> None:
        self.services.status = 302

        self.refused()

        self.assertEqual([path for path, _headers, _body in self.services.requests], ["/hooks/token"])

    def test_it_ends_in_time(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, mock.patch.object(sending, "READ_SECONDS", 0.2):
            begun = time.monotonic()
            failed = self.refused(Address(f"mmost://127.0.0.1:{silent.getsockname()[1]}/token"))

        self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual((failed.is_permanent, failed.may_have_arrived), (False, True))

    def test_it_goes_nowhere_inside_unless_the_operator_allows(self) -> None:
        with override_settings(OUTBOUND_ALLOW=[]):
            for host in (self.host, "localhost:1", "[::1]", "169.254.169.254"):
                with self.subTest(host):
                    self.assertIn("OUTBOUND_ALLOW", self.refused(Address(f"mmost://{host}/token")).detail)

        self.assertEqual(self.services.requests, [])

    def test_it_logs_and_tells_no_secret(self) -> None:
        self.services.status = 403
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger("other").debug("so that something is logged")
            failed = self.refused(Address(f"ntfy://me:hidden-word@{self.host}/hidden-topic"))
            with self.assertRaises(DomainError) as caught:
                channel.validate("zulip://hidden-word@org/x")

        for text in (failed.detail, caught.exception.message, *logs.output):
            self.assertNotIn("hidden", text)


class AddressTests(SimpleTestCase):
    def test_it_refuses_what_runs_here_or_is_sent_otherwise(self) -> None:
        for scheme in (
            *("syslog", "dbus", "qt", "kde", "glib", "gio", "gnome", "windows", "macosx", "blink1", "growl", "file"),
            *(
                "fcm",
                "vapid",
                "slack",
                "workflows",
                "msteams",
                "tgram",
                "mailto",
                "twilio",
                "sns",
                "opsgenie",
                "apprise",
            ),
            *("pagerduty", "custom", "", "http"),
        ):
            with self.subTest(scheme), self.assertRaisesMessage(DomainError, "begins with one of"):
                channel.validate(f"{scheme}://host/path")

    def test_it_refuses_parameters_that_read_files_or_lift_limits(self) -> None:
        for name in ("template", "Template", "redirect", "rto", "verify"):
            with self.subTest(name), self.assertRaisesMessage(DomainError, "not allowed"):
                channel.validate(f"discord://1/token/?{name}=/etc/passwd")

    def test_it_refuses_incomplete_addresses(self) -> None:
        with self.assertRaisesMessage(DomainError, "not a complete address of Discord"):
            channel.validate("discord://")

    def test_it_masks_all_but_the_service_and_a_host(self) -> None:
        for address, shown in (
            ("ntfys://me:secret@ntfy.example.org/topic", "ntfys://ntfy.example.org/…"),
            ("ntfy://secret-topic", "ntfy://…"),
            ("discord://1/secret", "discord://…"),
            ("matrixs://u:secret@chat.example.org:8448/#r", "matrixs://chat.example.org:8448/…"),
            ("json://secret", "json://…"),
            ("?", "?://…"),
        ):
            with self.subTest(address):
                self.assertEqual(mask(address), shown)

    def test_it_offers_services_that_exist(self) -> None:
        from apprise.manager_plugins import NotificationManager

        manager = NotificationManager()
        self.assertEqual([scheme for scheme in NAMES if scheme not in manager], [])

    def test_it_offers_rooms_only(self) -> None:
        (only,) = channel.CHANNELS

        self.assertEqual((only.is_personal, only.is_room), (False, True))
