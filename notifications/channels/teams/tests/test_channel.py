"""Messages to a Teams workflow, against a fake with its limits."""

from ipaddress import ip_network
from unittest import mock

from django.test import SimpleTestCase, override_settings

from core.errors import DomainError
from notifications.channels.chat.tests.messages import page
from notifications.channels.port import Address, Failed, Stage
from notifications.channels.teams import channel
from notifications.channels.teams.tests.fake import FakeTeams
from tests.reported import reported_failure

PATH = "/workflows/0f/triggers/manual/paths/invoke?api-version=1&sig=secret"


class TeamsTests(SimpleTestCase):
    def setUp(self) -> None:
        self.now = 1000.0
        self.teams = FakeTeams(clock=lambda: self.now)
        self.addCleanup(self.teams.stop)
        self.enterContext(override_settings(OUTBOUND_ALLOW=[ip_network("127.0.0.0/8")]))
        self.enterContext(mock.patch.object(channel, "guard", channel.RateGuard()))
        self.enterContext(mock.patch.object(channel.time, "monotonic", lambda: self.now))
        self.to = Address(f"{self.teams.address}{PATH}")

    @reported_failure(21)
    def test_it_reports_acceptance_and_never_delivery(self) -> None:
        receipt = channel.send(page(), self.to)

        self.assertEqual((receipt.stage, receipt.provider_id), (Stage.ACCEPTED, "08585"))
        self.assertEqual(self.teams.cards[0]["actions"][0]["url"], page().answer_url)

    @reported_failure(21)
    def test_it_stays_below_four_a_second(self) -> None:
        for _number in range(4):
            channel.send(page(), self.to)
        with self.assertRaises(Failed) as caught:
            channel.send(page(), self.to)

        self.assertEqual((len(self.teams.requests), caught.exception.retry_after), (4, 1.0))
        self.now += 1
        channel.send(page(), self.to)
        self.assertEqual(len(self.teams.cards), 5)

    def test_it_says_what_statuses_mean(self) -> None:
        for status, permanent, disables in (
            (400, True, False),
            (401, True, False),
            (404, True, True),
            (413, True, False),
            (429, False, False),
            (500, False, False),
        ):
            self.teams.status, self.now = status, self.now + 1
            with self.subTest(status), self.assertRaises(Failed) as caught:
                channel.send(page(), self.to)
            failed = caught.exception
            self.assertEqual((failed.is_permanent, failed.disables), (permanent, disables))
            self.assertNotIn("secret", failed.detail)


class AddressTests(SimpleTestCase):
    @reported_failure(21)
    def test_it_takes_both_hosts_of_workflows(self) -> None:
        for host in ("prod-186.westus.logic.azure.com:443", "default5c.61.environment.api.powerplatform.com:443"):
            address = f"https://{host}{PATH}"

            self.assertEqual(channel.validate(address), address)
            self.assertNotIn("secret", channel.mask(address))

    @reported_failure(21)
    def test_it_says_that_connectors_have_ended(self) -> None:
        for host in ("contoso.webhook.office.com", "outlook.office.com", "outlook.office365.com"):
            with self.subTest(host), self.assertRaisesMessage(DomainError, "which Microsoft has retired"):
                channel.validate(f"https://{host}/webhookb2/x/IncomingWebhook/y")

    def test_it_refuses_what_is_no_address(self) -> None:
        for given in ("", "teams", "http://10.0.0.1/x"):
            with self.subTest(given), self.assertRaises(DomainError):
                channel.validate(given)
