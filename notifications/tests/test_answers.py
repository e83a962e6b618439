from django.test import TestCase

from core.errors import DomainError, NotFound, PermissionRefused
from incidents.models import EventKind
from incidents.services import acknowledge, resolve
from incidents.tests.factories import make_incident, make_team
from notifications.models import Delivery
from notifications.services.answers import answer
from notifications.tests.factories import make_delivery, make_method, make_page, make_rule, now
from notifications.tests.fakes import fake_channel, only_channels
from notifications.vocabulary import State
from users.tests.factories import make_admin, make_reporter, make_responder


class AnswerTests(TestCase):
    def setUp(self):
        self.enterContext(only_channels(fake_channel("fake"), fake_channel("sms")))
        self.ana, self.ben, self.admin = make_responder(), make_responder(), make_admin()
        self.team = make_team("Database", self.ana)
        self.incident = make_incident(by=self.admin, team=self.team)

    def say(self, action, user=None, **fields):
        return answer(user or self.ana, self.incident.pk, action, channel_name="Telegram", **fields)

    def test_it_acts_in_the_persons_name_through_the_channel(self):
        for action, kind, status in (
            ("acknowledge", EventKind.ACKNOWLEDGED, "acknowledged"),
            ("take", EventKind.ASSIGNEE_CHANGED, "acknowledged"),
            ("note", EventKind.COMMENT, "acknowledged"),
            ("resolve", EventKind.RESOLVED, "resolved"),
        ):
            with self.subTest(action=action):
                result = self.say(action, note="On it" if action == "note" else "")

                self.assertTrue(result.changed)
                event = self.incident.events.filter(kind=kind).latest("seq")
                self.assertEqual((event.actor, event.origin), (self.ana, "chat"))
                self.assertEqual(event.actor_label, f"{self.ana.name} in Telegram")
                self.incident.refresh_from_db()
                self.assertEqual(self.incident.status, status)

    def test_it_says_that_a_mails_link_was_a_mail(self):
        for kind, origin in (("email", "email"), ("sms", "chat")):
            with self.subTest(kind):
                self.incident = make_incident(by=self.admin, team=self.team)
                delivery = make_delivery(make_method(self.ana, kind), incident=self.incident)

                self.say("acknowledge", delivery=delivery)

                self.assertEqual(self.incident.events.get(kind=EventKind.ACKNOWLEDGED).origin, origin)

    def test_it_takes_an_open_incident_and_acknowledges_it(self):
        result = self.say("take")

        self.assertEqual((result.incident.assignee, result.incident.status), (self.ana, "acknowledged"))
        again = self.say("take")
        self.assertEqual((again.changed, again.text), (False, f"{self.incident.reference} is yours already."))

    def test_it_says_who_was_quicker_and_changes_nothing(self):
        acknowledge(self.incident, by=self.admin)
        before = self.incident.events.count()

        result = self.say("acknowledge")

        self.assertFalse(result.changed)
        self.assertIn(f"was acknowledged already by {self.admin.name}, at ", result.text)
        resolve(self.incident, by=self.admin)
        for action in ("acknowledge", "resolve", "take"):
            self.assertIn(f"was resolved already by {self.admin.name}", self.say(action).text)
        self.assertEqual(self.incident.events.count(), before + 1)

    def test_it_refuses_whom_the_incident_refuses(self):
        cases = (
            (self.ben, "acknowledge", PermissionRefused),
            (make_reporter(), "acknowledge", NotFound),
            (self.ana, "dance", DomainError),
        )
        for user, action, error in cases:
            with self.subTest(error=error), self.assertRaises(error):
                self.say(action, user)
        self.ana.is_active = False
        self.assertRaises(PermissionRefused, self.say, "acknowledge")

    def test_it_marks_what_was_answered_and_cancels_the_rest(self):
        make_rule(self.ana, (make_method(self.ana), 0), (make_method(self.ana, "sms"), 5))
        page = make_page(self.ana, self.incident)
        sent = Delivery.objects.get(channel="fake")
        Delivery.objects.filter(pk=sent.pk).update(state=State.ACCEPTED, handed_over_at=now(), next_attempt_at=None)

        self.say("acknowledge")

        states = dict(Delivery.objects.filter(page_id=page.pk).values_list("channel", "state"))
        self.assertEqual(states, {"fake": State.ANSWERED, "sms": State.CANCELLED})
        page.refresh_from_db()
        self.assertIsNotNone(page.answered_at)

    def test_it_goes_on_paging_whoever_only_writes_a_note(self):
        make_method(self.ana)
        page = make_page(self.ana, self.incident)

        self.say("note", note="Looking")

        self.assertEqual(Delivery.objects.get(page_id=page.pk).state, State.WAITING)
