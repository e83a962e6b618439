"""Configured webhooks."""

import datetime as dt

from django.test import TestCase, override_settings

from core.db.clock import database_now
from core.errors import DomainError
from incidents.actors import Actor
from incidents.models import IncidentEvent
from incidents.services import acknowledge
from incidents.tests.factories import make_incident
from incidents.vocabulary import MachineKind
from notifications.channels.webhook.tests.factories import make_webhook
from notifications.services.webhooks import address_of, check_url, is_echo, rotate_secret
from users.tests.factories import make_admin

MINUTE = dt.timedelta(minutes=1)


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
        return [is_echo(make_webhook(f"Board {event.pk}", mirrors=mirrors), event) for event in events]

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
