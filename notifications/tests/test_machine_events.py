"""What programs learn of an incident."""

import datetime as dt
from typing import Any

from django.test import TestCase

from core.severity import Severity
from incidents.models import IncidentEvent
from incidents.services import acknowledge, comment
from incidents.tests.factories import make_incident, make_team
from incidents.vocabulary import Visibility
from notifications.channels.port import Message
from notifications.channels.webhook.payload import payload_of
from notifications.channels.webhook.tests.test_payload import VALIDATOR
from notifications.services.machine_events import event_of
from notifications.tests.factories import make_page
from users.tests.factories import make_admin, make_responder

NOON = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)


class MachineEventTests(TestCase):
    def setUp(self) -> None:
        self.ada = make_responder(name="Ada")
        team = make_team("Database", self.ada)
        boss = make_admin(email="boss@example.org")
        self.incident = make_incident(by=boss, team=team, severity=Severity.CRITICAL)
        acknowledge(self.incident, by=self.ada)
        self.incident.refresh_from_db()

    def told(self, event: IncidentEvent | None = None, **options: Any) -> dict[str, Any]:
        return event_of(self.incident, url="https://incidents.test/7/", at=NOON, event=event, **options)

    def test_it_follows_the_schema(self) -> None:
        events = list(self.incident.events.order_by("seq"))
        page = make_page(self.ada, self.incident)
        told = [
            *(self.told(event) for event in events),
            self.told(events[0], is_visible=False),
            self.told(page=page),
        ]
        for event in told:
            with self.subTest(event["type"]):
                payload = payload_of(Message(key="k", kind="update", title="x", event=event))

                self.assertEqual(list(VALIDATOR.iter_errors(payload)), [])

    def test_it_says_what_happened_and_how_the_incident_is(self) -> None:
        told = self.told(self.incident.events.latest("seq"))

        incident, event = told["data"]["incident"], told["data"]["event"]
        self.assertEqual((told["type"], event["actor"]), ("incident.acknowledged", "Ada"))
        self.assertEqual(event["changes"]["status"], ["open", "acknowledged"])
        self.assertEqual((incident["status"], incident["severity"]), ("acknowledged", "critical"))
        self.assertEqual(incident["team"]["name"], "Database")

    def test_it_says_why_somebody_is_paged(self) -> None:
        told = self.told(page=make_page(self.ada, self.incident, message="Please help"))

        self.assertEqual((told["type"], told["timestamp"]), ("incident.paged", "2026-11-30T12:00:00Z"))
        self.assertEqual((told["data"]["page"]["message"], told["data"]["page"]["target"]), ("Please help", "Ada"))

    def test_it_keeps_internal_notes_inside(self) -> None:
        comment(self.incident, "the password is hunter2", by=self.ada, visibility=Visibility.INTERNAL)
        internal = self.told(self.incident.events.latest("seq"))
        comment(self.incident, "we are on it", by=self.ada, visibility=Visibility.PUBLIC)
        public = self.told(self.incident.events.latest("seq"))

        self.assertNotIn("hunter2", str(internal))
        self.assertEqual(internal["data"]["event"]["visibility"], "internal")
        self.assertEqual(public["data"]["event"]["body"], "we are on it")

    def test_it_names_a_restricted_incident_and_no_more(self) -> None:
        told = self.told(self.incident.events.latest("seq"), is_visible=False)

        self.assertEqual(set(told["data"]["incident"]), {"id", "reference", "is_restricted"})
        self.assertIsNone(told["data"]["event"])
