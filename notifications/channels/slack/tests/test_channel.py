"""Messages to Slack, against a fake that judges as Slack does."""

from typing import Any
from unittest import mock

from django.test import SimpleTestCase, override_settings

from core.errors import DomainError
from notifications.channels.chat.tests.messages import page
from notifications.channels.port import Address, Failed, Stage
from notifications.channels.slack import channel
from notifications.channels.slack.tests.fake import TOKEN, FakeSlack
from tests.reported import reported_failure

ROOM = Address("C0INCIDENTS")


class SlackTests(SimpleTestCase):
    def setUp(self) -> None:
        self.now = 1000.0
        self.slack = FakeSlack(clock=lambda: self.now)
        self.addCleanup(self.slack.stop)
        self.enterContext(override_settings(SLACK_API_URL=self.slack.api_url, SLACK_BOT_TOKEN=TOKEN))

    def refused(self, to: Address = ROOM, **changes: Any) -> Failed:
        with self.assertRaises(Failed) as caught:
            channel.send(page(**changes), to)
        return caught.exception

    def test_it_writes_to_people_and_rooms(self) -> None:
        for address, place in (
            ("U0ADA00001", "D0ADA00001"),
            ("C0INCIDENTS", "C0INCIDENTS"),
            ("#incidents", "C0INCIDENTS"),
        ):
            with self.subTest(address):
                self.now += 1
                receipt = channel.send(page(), Address(address))

                self.assertEqual((receipt.stage, receipt.data["channel"]), (Stage.DELIVERED, place))
                self.assertEqual(receipt.provider_id, f"{place}:{receipt.data['ts']}")

    def test_it_edits_the_message_that_the_receipt_named(self) -> None:
        receipt = channel.send(page(), ROOM)

        edited = channel.send(page(status="acknowledged", edits=receipt.provider_id), ROOM)

        self.assertEqual(edited.provider_id, receipt.provider_id)
        shown = self.slack.messages["C0INCIDENTS", receipt.data["ts"]]
        self.assertIn("Acknowledged", shown["text"])
        self.assertEqual(len(self.slack.posts), 1)

    @reported_failure(19)
    def test_it_hands_slacks_limit_to_the_engine_at_once(self) -> None:
        channel.send(page(), ROOM)

        failed = self.refused()

        self.assertEqual((failed.retry_after, failed.is_permanent, failed.may_have_arrived), (1.0, False, False))
        self.now += 1
        channel.send(page(), ROOM)
        self.assertEqual(len(self.slack.posts), 2)

    @reported_failure(19)
    def test_it_names_a_wait_where_slack_names_none(self) -> None:
        self.slack.errors["C0INCIDENTS"] = "ratelimited"

        self.assertEqual(self.refused().retry_after, 30.0)

    def test_it_says_what_in_band_errors_mean(self) -> None:
        for code, permanent, disables in (
            ("channel_not_found", True, True),
            ("is_archived", True, True),
            ("account_inactive", True, True),
            ("user_not_found", True, True),
            ("not_in_channel", True, False),
            ("invalid_blocks", True, False),
            ("not_authed", False, False),
            ("token_revoked", False, False),
            ("internal_error", False, False),
            ("something_new", False, False),
        ):
            self.slack.errors["C0INCIDENTS"] = code
            with self.subTest(code):
                failed = self.refused()

                self.assertEqual((failed.is_permanent, failed.disables), (permanent, disables))
                self.assertIn(code, failed.detail)

    def test_it_blames_the_operator_for_the_token_and_never_shows_it(self) -> None:
        with override_settings(SLACK_BOT_TOKEN="xoxb-wrong"):
            refused = self.refused()
        with override_settings(SLACK_BOT_TOKEN=""):
            absent = self.refused()

        self.assertEqual((refused.is_permanent, absent.is_permanent), (False, False))
        self.assertIn("SLACK_BOT_TOKEN", refused.detail)
        self.assertIn("SLACK_BOT_TOKEN", absent.detail)
        self.assertNotIn("xoxb", refused.detail)

    def test_it_waits_for_a_slack_that_is_down(self) -> None:
        with override_settings(SLACK_API_URL="http://127.0.0.1:9/api"):
            failed = self.refused()
        with mock.patch.object(self.slack, "judge", return_value=(503, {}, b"down")):
            down = self.refused()

        self.assertEqual((failed.is_permanent, failed.may_have_arrived), (False, False))
        self.assertEqual((down.is_permanent, down.may_have_arrived), (False, True))

    def test_it_does_not_edit_what_is_gone(self) -> None:
        for edits in ("C0INCIDENTS:1700000000.999999", "nonsense"):
            self.assertTrue(self.refused(edits=edits).is_permanent)


class WebhookTests(SimpleTestCase):
    def setUp(self) -> None:
        self.slack = FakeSlack()
        self.addCleanup(self.slack.stop)
        self.enterContext(override_settings(SLACK_API_URL=self.slack.api_url))
        self.to = Address(f"{self.slack.address}/services/T0/B0/secret")

    def test_it_posts_without_buttons(self) -> None:
        receipt = channel.send(page(), self.to)

        self.assertEqual(receipt.stage, Stage.ACCEPTED)
        self.assertNotIn("actions", [block["type"] for block in self.slack.webhook_posts[0]["blocks"]])

    def test_it_disables_webhooks_that_are_gone(self) -> None:
        for code, disables, permanent in (
            ("no_service", True, True),
            ("channel_is_archived", True, True),
            ("invalid_payload", False, True),
            ("rollup_error", False, False),
        ):
            self.slack.errors["/services/T0/B0/secret"] = code
            with self.subTest(code), self.assertRaises(Failed) as caught:
                channel.send(page(), self.to)
            self.assertEqual((caught.exception.disables, caught.exception.is_permanent), (disables, permanent))
            self.assertNotIn("secret", caught.exception.detail)

    def test_it_reads_whatever_is_answered(self) -> None:
        for status, content in ((200, b"[" * 60_000), (200, b"\xff"), (403, b'["ok"]')):
            with (
                self.subTest(content[:5]),
                mock.patch.object(self.slack, "judge", return_value=(status, {}, content)),
                self.assertRaises(Failed) as caught,
            ):
                channel.send(page(), self.to)
            self.assertTrue(caught.exception.is_permanent)

    def test_it_goes_nowhere_inside_unless_the_operator_allows(self) -> None:
        with override_settings(SLACK_API_URL="https://slack.com/api"), self.assertRaises(Failed) as caught:
            channel.send(page(), self.to)

        self.assertTrue(caught.exception.is_permanent)
        self.assertEqual(self.slack.webhook_posts, [])


class AddressTests(SimpleTestCase):
    def test_it_takes_members_channels_and_webhooks(self) -> None:
        for given in ("U0ADA00001", " C0INCIDENTS ", "#incidents", "https://hooks.slack.com/services/T0/B0/x"):
            self.assertEqual(channel.validate(given), given.strip())

    def test_it_refuses_the_rest(self) -> None:
        for given in ("", "ada", "@ada", "# x", "http://127.0.0.1/x", "ftp://a/", "https://a:b@hooks.slack.com/x"):
            with self.subTest(given), self.assertRaises(DomainError) as caught:
                channel.validate(given)
            self.assertEqual(caught.exception.field, "address")

    def test_it_masks_webhooks(self) -> None:
        self.assertEqual(channel.mask("https://hooks.slack.com/services/T0/B0/x"), "hooks.slack.com/…")
        self.assertEqual(channel.mask("U0ADA00001"), "U0…01")
