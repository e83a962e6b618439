"""Telegram's requests: its secret, and updates that come twice."""

import json
from typing import Any

from django.test import Client, TestCase, override_settings

from notifications.channels.telegram.tests.fake import SECRET
from notifications.models import ChatIntegration, ChatRequest

PATH = "/integrations/telegram"
UPDATE = {
    "update_id": 5,
    "callback_query": {
        "id": "77",
        "from": {"id": 111, "is_bot": False, "first_name": "Ada"},
        "data": "acknowledge:1042",
        "message": {"message_id": 8, "chat": {"id": 111, "type": "private"}},
    },
}


@override_settings(TELEGRAM_WEBHOOK_SECRET=SECRET)
class WebhookTests(TestCase):
    def post(self, update: Any, secret: str = SECRET) -> Any:
        client = Client(enforce_csrf_checks=True)
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        return client.post(PATH, update, content_type="application/json", headers=headers)

    def test_it_stores_once_what_telegram_delivers_again(self) -> None:
        self.assertEqual([self.post(UPDATE).status_code for _ in range(2)], [200, 200])

        request = ChatRequest.objects.get()
        self.assertEqual(
            (request.kind, request.address, request.action, request.number), ("telegram", "111", "acknowledge", 1042)
        )

    def test_it_refuses_another_secret(self) -> None:
        for secret in ("", "other", SECRET.upper(), "\xff"):
            with self.subTest(secret):
                self.assertEqual(self.post(UPDATE, secret).json()["code"], "signature_invalid")
        with override_settings(TELEGRAM_WEBHOOK_SECRET=""):
            self.assertEqual(self.post(UPDATE, "").json()["code"], "not_set_up")
        self.assertFalse(ChatRequest.objects.exists())
        self.assertIsNotNone(ChatIntegration.objects.get().refused_at)

    def test_it_stores_text_that_no_database_takes(self) -> None:
        person = {"id": 111}
        text = {"from": person, "chat": person, "text": "/note INC-1 a\0b \ud800"}

        answer = self.post(json.dumps({"update_id": 7, "message": text}))

        self.assertEqual((answer.status_code, ChatRequest.objects.get().text), (200, "a\ufffdb ?"))

    def test_it_takes_what_asks_for_nothing(self) -> None:
        self.assertEqual(self.post({"update_id": 6, "edited_message": {}}).status_code, 200)
        for update in ("[]", "x", "[" * 100_000):
            with self.subTest(update[:10]):
                self.assertEqual(self.post(update).status_code, 400)
        self.assertFalse(ChatRequest.objects.exists())
        self.assertEqual(Client().get(PATH).status_code, 405)
