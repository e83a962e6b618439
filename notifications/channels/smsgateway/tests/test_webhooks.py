from unittest import mock

from django.test import Client, override_settings

from notifications.channels.phone import receipts
from notifications.channels.smsgateway.client import receipt_token
from notifications.channels.smsgateway.tests.test_client import Gateway
from notifications.channels.twilio.tests.cases import HOST, PHONE, TwilioCase
from notifications.models import Delivery, DeliveryAttempt
from notifications.vocabulary import State

PATH = "/integrations/sms-gateway"


class GatewayTests(TwilioCase):
    def setUp(self) -> None:
        super().setUp()
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        url = f"{self.gateway.url}/?to={{to}}&text={{text}}"
        self.enterContext(
            override_settings(SMS_PROVIDERS=["gateway"], SMS_GATEWAY_URL=url, SMS_GATEWAY_TOKEN="incoming")
        )
        self.phone()
        self.delivery = self.page()
        self.id = self.delivery.provider_id

    def get(self, path: str, **query: str):
        return Client().get(f"{PATH}/{path}", query, secure=True, SERVER_NAME=HOST)

    def state(self) -> str:
        return Delivery.objects.get(pk=self.delivery.pk).state

    def test_it_notes_receipts_of_kannel_and_others(self):
        for word, state in (("8", State.ACCEPTED), ("DELIVRD", State.DELIVERED), ("8", State.DELIVERED)):
            with self.subTest(word):
                response = self.get("receipts", id=self.id, token=receipt_token(self.id), status=word)
                self.assertEqual((response.status_code, self.state()), (204, state))

    def test_it_waits_for_the_worker_to_store_the_id(self):
        attempt = self.delivery.attempts.get()
        DeliveryAttempt.objects.filter(pk=attempt.pk).update(provider_id="")  # as before the worker's commit

        with mock.patch.object(receipts, "PAUSES", (0.1,)), mock.patch.object(receipts.time, "sleep") as sleep:
            sleep.side_effect = lambda _seconds: attempt.save()
            self.get("receipts", id=self.id, token=receipt_token(self.id), status="1")

        self.assertEqual(self.state(), State.DELIVERED)

    def test_it_goes_on_when_a_message_is_not_delivered(self):
        self.get("receipts", id=self.id, token=receipt_token(self.id), status="2")

        self.assertEqual(self.delivery.attempts.get().outcome, "failed")

    def test_it_refuses_receipts_with_another_messages_token(self):
        for token in ("", "x", receipt_token("gw-other"), "ü"):
            with self.subTest(token):
                response = self.get("receipts", id=self.id, token=token, status="1")
                self.assertEqual((response.status_code, self.state()), (403, State.ACCEPTED))

    def test_it_takes_replies_and_answers_in_the_response(self):
        response = self.get("replies", token="incoming", **{"from": PHONE.lstrip("+")}, text="ack")

        self.assertEqual(response.content.decode(), f"You acknowledged {self.incident.reference}: Disk full on db-3")
        self.assertEqual(self.status(), "acknowledged")

    def test_it_takes_get_and_post_only(self):
        for path in ("receipts", "replies"):
            response = Client().put(f"{PATH}/{path}", secure=True, SERVER_NAME=HOST)
            self.assertEqual((response.status_code, response.headers["Allow"]), (405, "GET, POST"))

    def test_it_takes_replies_by_post_with_a_header(self):
        response = Client(enforce_csrf_checks=True).post(
            f"{PATH}/replies",
            {"from": PHONE, "text": "ack"},
            headers={"Authorization": "Bearer incoming"},
            secure=True,
            SERVER_NAME=HOST,
        )

        self.assertEqual((response.status_code, self.status()), (200, "acknowledged"))

    def test_it_refuses_replies_without_the_token(self):
        for settings, token in (({}, "wrong"), ({}, ""), ({"SMS_GATEWAY_TOKEN": ""}, "")):
            with self.subTest(token), override_settings(**settings):
                self.assertEqual(self.get("replies", token=token, text="ack", **{"from": PHONE}).status_code, 403)
        self.assertEqual(self.status(), "open")
