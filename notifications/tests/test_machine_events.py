"""What programs learn of an incident."""

from django.test import TestCase, override_settings

from core.severity import Severity
from incidents.models import IncidentEvent
from incidents.services import acknowledge, comment
from incidents.tests.factories import make_incident, make_service, make_team
from incidents.vocabulary import Visibility
from notifications.channels.port import Message
from notifications.channels.webhook.payload import payload_of
from notifications.channels.webhook.tests.test_payload import VALIDATOR
from notifications.services.machine_events import event_of, events_of
from users.tests.factories import make_admin, make_responder


@override_settings(PUBLIC_URL="https://incidents.test/")
class MachineEventTests(TestCase):
    def setUp(self) -> None:
        self.ada = make_responder(name="Ada")
        team = make_team("Database", self.ada)
        self.incident = make_incident(
            by=make_admin(email="boss@example.org"),
            team=team,
            services=[make_service("payments", team=team)],
            severity=Severity.CRITICAL,
        )
        acknowledge(self.incident, by=self.ada)

    def events(self) -> list[IncidentEvent]:
        return list(IncidentEvent.objects.filter(incident=self.incident).select_related("incident").order_by("seq"))

    def test_it_follows_the_schema(self) -> None:
        for event in events_of(self.events()):
            with self.subTest(event["type"]):
                payload = payload_of(Message(key="k", kind="update", title="x", event=event))

                self.assertEqual(list(VALIDATOR.iter_errors(payload)), [])

    def test_it_says_what_happened_and_how_the_incident_is(self) -> None:
        event = event_of(self.events()[-1])

        incident = event["incident"]
        self.assertEqual((event["type"], event["event"]["actor"]), ("incident.acknowledged", "Ada"))
        self.assertEqual(event["event"]["changes"]["status"], ["open", "acknowledged"])
        self.assertEqual(
            (incident["status"], incident["severity"], incident["team"]), ("acknowledged", "critical", "Database")
        )
        self.assertEqual(incident["services"], ["payments"])
        self.assertEqual(incident["url"], f"https://incidents.test/api/v1/incidents/{self.incident.pk}/")

    def test_it_keeps_internal_notes_inside(self) -> None:
        comment(self.incident, "the password is hunter2", by=self.ada, visibility=Visibility.INTERNAL)
        comment(self.incident, "we are on it", by=make_admin(), visibility=Visibility.PUBLIC)

        internal, public = events_of(self.events()[-2:])
        self.assertNotIn("hunter2", str(internal))
        self.assertEqual((internal["event"]["visibility"], public["event"]["body"]), ("internal", "we are on it"))

    def test_it_asks_no_more_for_more_events(self) -> None:
        for number in (1, 3):
            events = self.events()[:1] * number
            with self.subTest(number), self.assertNumQueries(2):
                events_of(events)
