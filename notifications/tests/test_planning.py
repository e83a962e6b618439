import datetime as dt

from django.test import TestCase

from incidents.services import acknowledge, resolve
from incidents.tests.factories import make_incident
from notifications.models import Delivery, Notification
from notifications.tests.factories import make_method, make_page, make_room, make_rule
from notifications.tests.fakes import fake_channel, only_channels
from notifications.vocabulary import MethodState, State
from paging.pages import hand_over, undelivered
from tests.reported import reported_failure
from users.tests.factories import make_admin, make_responder

MINUTE = dt.timedelta(minutes=1)


class PagePlanTests(TestCase):
    def setUp(self):
        self.enterContext(only_channels(fake_channel("fake"), fake_channel("sms"), fake_channel("email")))
        self.ana = make_responder()

    def plan_of(self, page):
        rows = Delivery.objects.filter(page_id=page.pk).order_by("due_at", "id")
        return [(row.channel, (row.due_at - row.created_at) / MINUTE) for row in rows]

    def test_it_uses_every_verified_method_at_once_without_rules(self):
        make_method(self.ana, "fake")
        make_method(self.ana, "sms", state=MethodState.FAILING)
        make_method(self.ana, "email", state=MethodState.UNVERIFIED)
        make_method(self.ana, "sms", "other", state=MethodState.DISABLED)

        page = make_page(self.ana)

        self.assertEqual(self.plan_of(page), [("fake", 0), ("sms", 0)])

    @reported_failure(14)
    def test_it_follows_the_rule_of_the_importance_and_then_falls_back_to_every_other_method(self):
        first, second = make_method(self.ana, "fake"), make_method(self.ana, "sms")
        make_method(self.ana, "email")
        make_rule(self.ana, (first, 0), (second, 5), (first, 7))

        high, low = make_page(self.ana), make_page(self.ana, importance="low")

        self.assertEqual(self.plan_of(high), [("fake", 0), ("sms", 5), ("fake", 7), ("email", 9)])
        self.assertEqual(self.plan_of(low), [("fake", 0), ("sms", 0), ("email", 0)])

    @reported_failure(14)
    def test_it_keeps_the_plan_of_a_page_when_its_rule_is_deleted(self):
        first, second = make_method(self.ana, "fake"), make_method(self.ana, "sms")
        rule = make_rule(self.ana, (first, 0), (second, 5))
        page = make_page(self.ana)

        rule.delete()

        self.assertEqual(self.plan_of(page), [("fake", 0), ("sms", 5)])

    @reported_failure(14)
    def test_it_fails_the_page_at_once_when_there_is_no_way_and_says_why(self):
        page = make_page(self.ana)

        row = Delivery.objects.get(page_id=page.pk)

        self.assertEqual((row.state, row.reason), (State.FAILED, "No verified contact method."))
        page.refresh_from_db()
        self.assertIsNotNone(page.failed_at)

    def test_it_plans_a_page_once_however_often_it_is_handed_over(self):
        make_method(self.ana, "fake")
        page = make_page(self.ana)

        hand_over([page])

        self.assertEqual(self.plan_of(page), [("fake", 0)])
        self.assertEqual(undelivered([page]), set())

    def test_it_finds_pages_without_deliveries(self):
        make_method(self.ana, "fake")
        page = make_page(self.ana)
        Delivery.objects.all().delete()

        self.assertEqual(undelivered([page]), {page.pk})

    def test_it_enters_a_page_into_the_inbox(self):
        page = make_page(self.ana)

        entry = Notification.objects.get(user=self.ana, kind="page")

        self.assertEqual(entry.title, f"INC-{page.incident_id} Medium: Checkout is down")

    def test_it_pages_rooms_and_says_when_one_is_gone(self):
        room = make_room()

        there = make_page(target_kind="channel", target_id=room.pk)
        gone = make_page(target_kind="channel", target_id=room.pk + 1, target_name="Elsewhere")

        self.assertEqual(Delivery.objects.get(page_id=there.pk).room, room)
        row = Delivery.objects.get(page_id=gone.pk)
        self.assertEqual((row.state, row.reason), (State.FAILED, "Elsewhere was removed or disabled."))


class CancelTests(TestCase):
    def setUp(self):
        self.enterContext(only_channels(fake_channel("fake"), fake_channel("sms")))

    @reported_failure(12)
    def test_it_cancels_what_waits_when_the_incident_is_acknowledged_or_resolved(self):
        admin, ana = make_admin(), make_responder()
        first = make_method(ana, "fake")
        make_rule(ana, (first, 0), (make_method(ana, "sms"), 5))
        for act in (acknowledge, resolve):
            incident = make_incident()
            page = make_page(ana, incident)

            act(incident, by=admin)

            rows = Delivery.objects.filter(page_id=page.pk)
            with self.subTest(act=act.__name__):
                self.assertEqual({(row.state, row.next_attempt_at) for row in rows}, {(State.CANCELLED, None)})
