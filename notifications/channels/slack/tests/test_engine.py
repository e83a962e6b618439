"""From an incident to Slack and back, through the delivery engine."""

from typing import Any

from django.test import TestCase, override_settings

from core.db.clock import database_now
from incidents.models import Incident, Status
from incidents.services import acknowledge, assign_person, feed, resolve
from incidents.tests.factories import make_incident, make_team
from notifications.channels.chat import answering
from notifications.channels.chat.asking import store
from notifications.channels.port import channel_of
from notifications.channels.slack.payloads import read_interaction
from notifications.channels.slack.tests.fake import SECRET, TOKEN, FakeSlack
from notifications.jobs import plan_deliveries
from notifications.models import Delivery
from notifications.services.sending import sender_of
from notifications.tests.factories import make_method, make_page, make_room, make_rule, seconds
from notifications.vocabulary import Priority, State
from tests.reported import reported_failure
from users.tests.factories import make_admin, make_responder

ADA, ROOM = "U0ADA00001", "C0INCIDENTS"


class EngineTests(TestCase):
    def setUp(self) -> None:
        self.now = 1000.0
        self.slack = FakeSlack(clock=lambda: self.now)
        self.addCleanup(self.slack.stop)
        self.enterContext(
            override_settings(SLACK_API_URL=self.slack.api_url, SLACK_BOT_TOKEN=TOKEN, SLACK_SIGNING_SECRET=SECRET)
        )
        self.ada = make_responder(name="Ada")
        self.chat = make_method(self.ada, "slack", ADA)
        room = make_room(kind="slack")
        room.address = ROOM
        room.save(update_fields=["address"])
        self.incident = self.open()

    def open(self) -> Incident:
        team = make_team("Database", self.ada)
        return make_incident(by=make_admin(), team=team, title="Checkout is down", description="Cards are refused.")

    def plan(self) -> None:
        feed.assign_places()
        plan_deliveries(database_now())

    def send(self) -> None:
        """Send all that would be due in the next seconds."""
        self.now += 2
        Delivery.objects.filter(next_attempt_at__isnull=False, state=State.WAITING).update(
            next_attempt_at=database_now() - seconds(1)
        )
        channel = channel_of("slack")
        assert channel is not None
        sender_of(channel).run()

    def test_it_edits_what_it_posted_when_a_button_is_pressed(self) -> None:
        make_page(self.ada, self.incident)
        self.plan()
        self.send()
        press = read_interaction(self.slack.press(ADA, "incident.acknowledge", str(self.incident.pk)))

        store("slack", press)
        answering.answer_due()
        self.plan()
        self.send()

        self.assertEqual(Incident.objects.get(pk=self.incident.pk).status, Status.ACKNOWLEDGED)
        first, second = self.slack.posts[:2]
        self.assertEqual({first["in"], second["in"]}, {ROOM, "D0ADA00001"})
        for post in (first, second):
            shown = self.slack.messages[post["in"], post["ts"]]
            self.assertIn("Acknowledged", shown["text"])
            text = str(shown["blocks"])
            self.assertIn("Cards are refused.", text)
            self.assertIn("incident.resolve", text)
            self.assertNotIn("incident.acknowledge'", text)
        page = Delivery.objects.get(page_id__isnull=False, priority=Priority.PAGE)
        self.assertEqual(page.state, State.ANSWERED)

    @reported_failure(19)
    def test_it_makes_one_edit_of_many_changes(self) -> None:
        self.plan()
        self.send()
        acknowledge(self.incident, by=self.ada)
        self.plan()
        assign_person(Incident.objects.get(pk=self.incident.pk), self.ada, by=self.ada)
        self.plan()
        resolve(Incident.objects.get(pk=self.incident.pk), by=self.ada)
        self.plan()

        self.assertEqual(Delivery.objects.filter(priority=Priority.EDIT).count(), 1)

    @reported_failure(19)
    def test_it_goes_on_by_another_method_when_slack_limits(self) -> None:
        make_rule(self.ada, (self.chat, 0), (make_method(self.ada, "email", "ada@example.com"), 10))
        page = make_page(self.ada, self.incident)
        mail = Delivery.objects.get(page_id=page.pk, channel="email")
        self.assertGreater(mail.next_attempt_at, database_now() + seconds(500))
        self.slack.errors[ADA] = "ratelimited"

        channel: Any = channel_of("slack")
        sender_of(channel).run()

        mail.refresh_from_db()
        self.assertLessEqual(mail.next_attempt_at, database_now())
        self.assertNotEqual(Delivery.objects.get(page_id=page.pk, channel="slack").state, State.FAILED)
