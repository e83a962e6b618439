"""Messages to Telegram, against a fake that judges as the Bot API does."""

from typing import Any

from django.test import SimpleTestCase, override_settings

from core.errors import DomainError
from notifications.channels.chat.tests.messages import page
from notifications.channels.port import Address, Failed, Stage
from notifications.channels.telegram import channel
from notifications.channels.telegram.tests.fake import TOKEN, FakeTelegram

ADA = Address("111")


class TelegramTests(SimpleTestCase):
    def setUp(self) -> None:
        self.telegram = FakeTelegram()
        self.addCleanup(self.telegram.stop)
        self.enterContext(override_settings(TELEGRAM_API_URL=self.telegram.address, TELEGRAM_BOT_TOKEN=TOKEN))

    def refused(self, to: Address = ADA, **changes: Any) -> Failed:
        with self.assertRaises(Failed) as caught:
            channel.send(page(**changes), to)
        return caught.exception

    def test_it_writes_and_edits(self) -> None:
        receipt = channel.send(page(), ADA)

        edited = channel.send(page(status="acknowledged", edits=receipt.provider_id), ADA)

        self.assertEqual((receipt.stage, receipt.provider_id), (Stage.DELIVERED, "111:1"))
        self.assertEqual(edited.provider_id, "111:1")
        self.assertIn("Acknowledged", self.telegram.messages["111", 1]["text"])

    def test_it_takes_an_edit_without_a_change_for_done(self) -> None:
        receipt = channel.send(page(), ADA)

        self.assertEqual(channel.send(page(edits=receipt.provider_id), ADA).provider_id, "111:1")

    def test_it_says_what_errors_mean(self) -> None:
        moved = {"migrate_to_chat_id": -100333}
        for status, said, parameters, permanent, disables, wait in (
            (403, "Forbidden: bot was blocked by the user", None, True, True, None),
            (403, "Forbidden: user is deactivated", None, True, True, None),
            (400, "Bad Request: chat not found", None, True, True, None),
            (400, "Bad Request: group chat was upgraded to a supergroup chat", moved, True, True, None),
            (400, "Bad Request: can't parse entities", None, True, False, None),
            (401, "Unauthorized", None, False, False, None),
            (429, "Too Many Requests: retry after 7", {"retry_after": 7}, False, False, 7.0),
            (502, "Bad Gateway", None, False, False, None),
        ):
            self.telegram.errors["111"] = (status, said, parameters or {})
            with self.subTest(said):
                failed = self.refused()

                self.assertEqual(
                    (failed.is_permanent, failed.disables, failed.retry_after), (permanent, disables, wait)
                )
                self.assertNotIn(TOKEN, failed.detail)

    def test_it_blames_the_operator_for_the_token_and_never_shows_it(self) -> None:
        for token in ("1:wrong", ""):
            with override_settings(TELEGRAM_BOT_TOKEN=token):
                failed = self.refused()

            self.assertFalse(failed.is_permanent)
            self.assertIn("TELEGRAM_BOT_TOKEN", failed.detail)
            self.assertNotIn("1:wrong", failed.detail)

    def test_it_names_no_token_when_telegram_is_away(self) -> None:
        with override_settings(TELEGRAM_API_URL="http://127.0.0.1:9"):
            failed = self.refused()

        self.assertFalse(failed.is_permanent)
        self.assertNotIn(TOKEN, failed.detail)

    def test_it_takes_chats_and_public_channels(self) -> None:
        for given in ("111", "-1001234567890", " @incidents "):
            self.assertEqual(channel.validate(given), given.strip())
        for given in ("", "ada", "@a", "12x", "0", "https://t.me/x"):
            with self.subTest(given), self.assertRaises(DomainError):
                channel.validate(given)
