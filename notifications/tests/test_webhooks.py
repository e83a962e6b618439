"""Configured webhooks."""

import datetime as dt
import json

from django.test import TestCase, TransactionTestCase, override_settings
from standardwebhooks import Webhook

from core.db.clock import database_now
from core.errors import Conflict, DomainError, NotFound, TooManyRequests
from incidents.actors import Actor
from incidents.models import IncidentEvent
from incidents.services import acknowledge
from incidents.services.feed import assign_places
from incidents.tests.factories import make_incident, make_team
from incidents.vocabulary import MachineKind
from notifications.channels.port import channel_of
from notifications.jobs import plan_deliveries
from notifications.models import Delivery, Notification
from notifications.services import webhooks
from notifications.services.webhooks import address_of, check_url, is_echo, rotate_secret
from notifications.tests.factories import at, deliver, make_page, make_webhook
from notifications.tests.sinks import start_sink
from notifications.vocabulary import MethodState, State
from users.tests.factories import make_admin


class SecretTests(TestCase):
    def test_it_signs_with_both_secrets_for_a_day(self) -> None:
        webhook = make_webhook(format="cloudevents")
        first, now = webhook.secret, database_now()

        second = rotate_secret(webhook, by=make_admin())

        webhook.refresh_from_db()
        for moment, keys in ((now, [second, first]), (now + dt.timedelta(hours=24, minutes=1), [second])):
            with self.subTest(moment):
                address = address_of(webhook, moment)

                self.assertEqual((address.value, address.data["format"]), (webhook.url, "cloudevents"))
                self.assertEqual((address.data["secrets"], address.is_trusted), (keys, False))
        self.assertEqual(len({first, second, rotate_secret(webhook, by=make_admin(email="b@example.org"))}), 3)

    def test_it_signs_with_one_secret_otherwise(self) -> None:
        webhook = make_webhook()

        self.assertEqual(address_of(webhook, database_now()).data["secrets"], [webhook.secret])


class LoopTests(TestCase):
    def echoes(self, mirrors: list[str], **fields: str) -> list[bool]:
        incident = make_incident(**fields)
        by = Actor(name="Ben", machine=MachineKind.SOURCE, machine_name="PagerDuty EU")
        acknowledge(incident, by=by)
        events = IncidentEvent.objects.filter(incident=incident).select_related("incident").order_by("seq")
        return [is_echo(make_webhook(f"Board {event.pk}", mirrors=mirrors), incident, event) for event in events]

    def test_it_sends_nothing_back_to_where_it_came_from(self) -> None:
        for mirrors, origin, expected in (
            ([], "pagerduty", [False, False]),
            (["pagerduty"], "pagerduty", [True, True]),
            (["PagerDuty"], "pagerduty", [True, True]),
            (["opsgenie"], "pagerduty", [False, False]),
            (["opsgenie", "PagerDuty EU"], "api", [False, True]),
            (["pagerduty eu"], "api", [False, True]),
        ):
            with self.subTest(mirrors, origin=origin):
                self.assertEqual(self.echoes(mirrors, origin_system=origin), expected)

    @override_settings(PUBLIC_URL="https://incidents.example")
    def test_it_does_not_call_itself(self) -> None:
        self.assertEqual(check_url("https://board.example/hooks"), "https://board.example/hooks")
        self.assertEqual(check_url("https://incidents.example:8443/"), "https://incidents.example:8443/")
        for url in (
            "https://incidents.example/intake/k/",
            "https://INCIDENTS.example/",
            "https://incidents.example:443/",
        ):
            with self.subTest(url), self.assertRaises(DomainError) as caught:
                check_url(url)
            self.assertEqual(caught.exception.field, "url")
        with self.assertRaises(DomainError) as caught:
            check_url("http://127.0.0.1/")
        self.assertEqual(caught.exception.field, "url")


class DeliveryTests(TransactionTestCase):
    def setUp(self) -> None:
        self.sink = start_sink(self)
        self.admin = make_admin()
        self.webhook = make_webhook(url=f"{self.sink.url}/hooks", events=["created", "acknowledged"])

    def follow(self) -> None:
        assign_places()
        plan_deliveries(database_now())
        deliver(channel_of("webhook"))

    def types(self) -> list[str]:
        return [json.loads(request.content)["type"] for request in self.sink.received]

    def test_it_tells_of_the_events_that_were_chosen(self) -> None:
        incident = make_incident()
        acknowledge(incident, by=self.admin)

        self.follow()

        # They are sent side by side: their order is that of `seq`, not of arrival.
        self.assertEqual(sorted(self.types()), ["incident.acknowledged", "incident.created"])
        request = self.sink.received[0]
        payload = Webhook(self.webhook.secret).verify(request.content, dict(request.headers))
        self.assertEqual(payload["data"]["incident"]["id"], incident.pk)
        self.assertEqual(set(Delivery.objects.values_list("state", flat=True)), {State.DELIVERED})

    def test_it_tells_a_teams_webhook_of_the_teams_incidents(self) -> None:
        self.webhook.team = make_team("Network")
        self.webhook.save(update_fields=["team"])
        make_incident()

        self.follow()

        self.assertEqual(self.sink.received, [])

    def test_it_sends_no_change_back_to_where_it_came_from(self) -> None:
        self.webhook.mirrors = ["PagerDuty EU", "opsgenie"]
        self.webhook.save(update_fields=["mirrors"])
        make_incident(origin_system="opsgenie")
        incident = make_incident()
        acknowledge(incident, by=Actor(name="Ben", machine=MachineKind.SOURCE, machine_name="PagerDuty EU"))

        self.follow()

        self.assertEqual(self.types(), ["incident.created"])

    def test_it_sends_no_page_back_to_where_the_incident_came_from(self) -> None:
        self.webhook.mirrors = ["pagerduty"]
        self.webhook.save(update_fields=["mirrors"])
        target = {"target_kind": "webhook", "target_id": self.webhook.pk, "target_name": self.webhook.name}

        pages = [make_page(incident=make_incident(origin_system=origin), **target) for origin in ("pagerduty", "api")]
        deliver(channel_of("webhook"))

        states = [Delivery.objects.get(page_id=page.pk).state for page in pages]
        self.assertEqual(states, [State.FAILED, State.DELIVERED])
        self.assertEqual(self.types(), ["incident.paged"])

    def test_it_is_disabled_by_410_and_says_so(self) -> None:
        make_incident()
        self.sink.answers = [(410, {})]

        self.follow()

        self.webhook.refresh_from_db()
        self.assertEqual(self.webhook.state, MethodState.DISABLED)
        self.assertIn(self.webhook.name, Notification.objects.get(user=self.admin).title)
        make_incident()
        self.follow()
        self.assertEqual(len(self.sink.received), 1)

    def test_it_is_tried_again_when_the_standard_says_so(self) -> None:
        make_incident()
        self.sink.answers = [(500, {})]

        self.follow()

        row = Delivery.objects.get()
        wait = (row.next_attempt_at - row.first_attempt_at).total_seconds()
        self.assertTrue(row.state == State.WAITING and 3 <= wait <= 10, wait)
        with at(row.next_attempt_at + dt.timedelta(seconds=1)):
            deliver(channel_of("webhook"))
        first, second = ({name.lower(): value for name, value in one.headers.items()} for one in self.sink.received)
        self.assertEqual(first["webhook-id"], second["webhook-id"])

    def test_it_sends_again_under_the_same_id(self) -> None:
        make_incident()
        self.follow()
        delivery = Delivery.objects.get()

        webhooks.redeliver(self.webhook, delivery.pk)
        deliver(channel_of("webhook"))

        delivery.refresh_from_db()
        ids = {next(v for k, v in one.headers.items() if k.lower() == "webhook-id") for one in self.sink.received}
        self.assertEqual((len(self.sink.received), len(ids)), (2, 1))
        self.assertEqual((delivery.state, delivery.attempts.count()), (State.DELIVERED, 2))

    def test_it_sends_again_only_what_has_ended_and_is_its_own(self) -> None:
        make_incident()
        assign_places()
        plan_deliveries(database_now())
        waiting = Delivery.objects.get()

        with self.assertRaises(Conflict):
            webhooks.redeliver(self.webhook, waiting.pk)
        with self.assertRaises(NotFound):
            webhooks.redeliver(make_webhook("Other"), waiting.pk)
        Delivery.objects.update(state=State.FAILED, next_attempt_at=None)
        self.webhook.state = MethodState.DISABLED
        with self.assertRaisesMessage(Conflict, "enable it first"):
            webhooks.redeliver(self.webhook, waiting.pk)

    def test_it_sends_a_test(self) -> None:
        webhooks.send_test(self.webhook, by=self.admin)
        deliver(channel_of("webhook"))

        self.assertEqual(self.types(), ["test"])
        for _number in range(webhooks.TESTS_PER_HOUR - 1):
            webhooks.send_test(self.webhook, by=self.admin)
        with self.assertRaises(TooManyRequests):
            webhooks.send_test(self.webhook, by=self.admin)
        self.webhook.is_enabled = False
        with self.assertRaises(Conflict):
            webhooks.send_test(self.webhook, by=self.admin)
