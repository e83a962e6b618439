"""Webhooks over REST and in the back office."""

from django.test import TestCase, override_settings
from django.urls import reverse

from notifications.models import Delivery, WebhookEndpoint
from notifications.services import webhooks
from notifications.tests.factories import make_webhook
from notifications.vocabulary import MethodState, State
from users.tests.factories import client_of, make_admin

URL = "/api/v1/webhooks/"
NEW = {"name": "Board", "url": "https://board.example/hooks", "events": ["created"], "mirrors": ["pagerduty"]}


class WebhookViewTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.client_of_admin = client_of(self.admin)

    def post(self, path: str = "", data: object = None, **headers: str):
        return self.client_of_admin.post(f"{URL}{path}", data or {}, format="json", **headers)

    def test_it_shows_the_secret_once(self) -> None:
        made = self.post(data=NEW)

        webhook = WebhookEndpoint.objects.get()
        self.assertEqual((made.status_code, made.json()["secret"]), (201, webhook.secret))
        self.assertEqual(made["Cache-Control"], "no-store")
        for path in ("", f"{webhook.pk}/"):
            self.assertNotIn(webhook.secret, self.client_of_admin.get(f"{URL}{path}").content.decode())

    def test_it_stores_no_answer_with_a_secret(self) -> None:
        key = {"HTTP_IDEMPOTENCY_KEY": "k1"}
        self.post(data=NEW, **key)

        self.assertEqual(self.post(data=NEW, **key).status_code, 400)

    def test_it_replaces_the_secret(self) -> None:
        webhook = make_webhook()
        old = webhook.secret

        answer = self.post(f"{webhook.pk}/secret/")

        webhook.refresh_from_db()
        self.assertEqual((answer.json()["secret"], webhook.old_secret), (webhook.secret, old))
        self.assertNotIn(webhook.secret, str(webhook.__class__.objects.values_list("name", "url", "reason").get()))

    @override_settings(PUBLIC_URL="https://incidents.example")
    def test_it_refuses_what_it_could_not_use(self) -> None:
        for change in (
            {"url": "http://127.0.0.1/"},
            {"url": "https://incidents.example/intake/k/"},
            {"url": "ftp://board.example/"},
            {"events": ["nonsense"]},
            {"format": "xml"},
            {"mirrors": "pagerduty"},
            {"secret": "whsec_mine"},
        ):
            with self.subTest(change):
                answer = self.post(data={**NEW, **change})

                self.assertEqual(answer.status_code, 400)
                self.assertIn(next(iter(change)), str(answer.json()))
        self.assertFalse(WebhookEndpoint.objects.exists())

    def test_it_works_again_once_it_is_mended(self) -> None:
        for change, state in (
            ({"url": "https://other.example/"}, MethodState.OK),
            ({"is_enabled": True}, MethodState.OK),
            ({"name": "Renamed"}, MethodState.DISABLED),
        ):
            webhook = make_webhook(f"W {state} {next(iter(change))}", state=MethodState.DISABLED, reason="410")
            with self.subTest(change):
                answer = self.client_of_admin.patch(f"{URL}{webhook.pk}/", change, format="json")

                self.assertEqual((answer.status_code, answer.json()["state"]), (200, state))

    def test_it_lists_its_deliveries_and_sends_one_again(self) -> None:
        webhook, other = make_webhook(), make_webhook("Other")
        delivery = webhooks.send_test(webhook, by=self.admin)
        Delivery.objects.filter(pk=delivery.pk).update(state=State.FAILED, next_attempt_at=None)

        listed = self.client_of_admin.get(f"{URL}{webhook.pk}/deliveries/").json()["results"]
        again = self.post(f"{webhook.pk}/deliveries/{delivery.pk}/redeliver/")

        self.assertEqual([row["id"] for row in listed], [delivery.pk])
        self.assertEqual((again.status_code, again.json()["state"]), (202, "waiting"))
        self.assertEqual(self.client_of_admin.get(f"{URL}{other.pk}/deliveries/").json()["results"], [])
        self.assertEqual(self.post(f"{other.pk}/deliveries/{delivery.pk}/redeliver/").status_code, 404)
        self.assertEqual(self.client_of_admin.get(f"{URL}{webhook.pk}/deliveries/?state=nonsense").status_code, 400)


class PersonalWebhookTests(TestCase):
    def setUp(self) -> None:
        self.client_of_admin = client_of(make_admin())

    def test_it_gives_a_persons_webhook_a_secret(self) -> None:
        data = {"kind": "webhook", "address": "https://me.example/hook"}

        answer = self.client_of_admin.post("/api/v1/me/contact-methods/", data, format="json")

        method = answer.json()
        self.assertEqual(answer.status_code, 201, method)
        self.assertTrue(method["secret"].startswith("whsec_"))
        shown = self.client_of_admin.get(f"/api/v1/me/contact-methods/{method['id']}/")
        self.assertNotIn(method["secret"], shown.content.decode())

    def test_it_gives_a_room_that_is_a_webhook_a_secret(self) -> None:
        data = {"name": "Room", "kind": "webhook", "address": "https://room.example/hook"}

        made = self.client_of_admin.post("/api/v1/channels/", data, format="json", HTTP_IDEMPOTENCY_KEY="k")

        room = made.json()
        self.assertEqual(made.status_code, 201, room)
        self.assertTrue(room["secret"].startswith("whsec_"))
        self.assertNotIn("secret", self.client_of_admin.get(f"/api/v1/channels/{room['id']}/").json())
        repeated = self.client_of_admin.post("/api/v1/channels/", data, format="json", HTTP_IDEMPOTENCY_KEY="k")
        self.assertNotIn(room["secret"], repeated.content.decode())


class BackOfficeTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_admin())

    def form(self, **changes: object) -> dict[str, object]:
        form = {"name": "Board", "url": "https://board.example/x", "events": ["created"], "is_enabled": "on"}
        return {**form, "mirrors": "pagerduty, opsgenie", "format": "", **changes}

    def test_it_shows_a_new_secret_once(self) -> None:
        page = self.client.post(reverse("admin:notifications_webhookendpoint_add"), self.form(), follow=True)

        webhook = WebhookEndpoint.objects.get()
        self.assertContains(page, webhook.secret)
        self.assertEqual(webhook.mirrors, ["pagerduty", "opsgenie"])
        change = reverse("admin:notifications_webhookendpoint_change", args=[webhook.pk])
        self.assertNotContains(self.client.get(change), webhook.secret)

    def test_it_replaces_the_secret_and_sends_a_test(self) -> None:
        webhook = make_webhook()
        old = webhook.secret

        page = self.client.post(reverse("admin:notifications_webhookendpoint_secret", args=[webhook.pk]), follow=True)
        self.client.post(reverse("admin:notifications_webhookendpoint_test", args=[webhook.pk]))

        webhook.refresh_from_db()
        self.assertNotEqual(webhook.secret, old)
        self.assertContains(page, webhook.secret)
        self.assertEqual(Delivery.objects.filter(webhook=webhook, kind="test").count(), 1)

    def test_it_refuses_addresses_inside(self) -> None:
        page = self.client.post(
            reverse("admin:notifications_webhookendpoint_add"), self.form(url="http://127.0.0.1/"), follow=True
        )

        self.assertContains(page, "OUTBOUND_ALLOW")
        self.assertFalse(WebhookEndpoint.objects.exists())
