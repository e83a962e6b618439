from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.models import Visibility
from incidents.services import acknowledge, comment, feed, resolve, subscribe, update
from incidents.tests.factories import make_incident, make_team
from notifications.channels.port import Failed
from notifications.jobs import plan_deliveries
from notifications.models import Delivery, Notification
from notifications.services.claiming import claim
from notifications.services.onward import try_next
from notifications.services.settling import Result, settle
from notifications.tests.factories import (
    at,
    delivery_of,
    make_method,
    make_page,
    make_room,
    make_rule,
    make_webhook,
    now,
    seconds,
)
from notifications.tests.fakes import Script, delivered, fake_channel, only_channels
from notifications.vocabulary import MethodState, Priority, State
from tests.reported import reported_failure
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder


class FeedCase(TestCase):
    def setUp(self):
        self.script = Script([delivered("message-1")])
        self.room_channel = fake_channel("room", self.script, can_edit=True)
        self.mail = fake_channel("email", Script())
        self.enterContext(only_channels(self.mail, self.room_channel))
        self.reporter, self.admin = make_reporter(), make_admin()
        User.objects.update(email_verified_at=timezone.now())
        self.incident = make_incident(by=self.reporter)

    def plan(self):
        feed.assign_places()
        plan_deliveries(timezone.now())

    def told(self, user):
        return list(Notification.objects.filter(user=user).order_by("id").values_list("title", flat=True))

    def send_at(self, moment, channel=None):
        with at(moment):
            claimed = claim(channel or self.room_channel, 8)
            settle(
                self.room_channel, [Result(one, receipt=self.script.send(one.message, one.address)) for one in claimed]
            )
        return [one.message for one in claimed]


class PeopleTests(FeedCase):
    def test_it_tells_reporters_and_subscribers_what_concerns_them(self):
        responder = make_responder()
        subscribe(self.incident, responder, by=self.admin)
        comment(self.incident, "We look into it", by=self.admin)
        comment(self.incident, "Ours alone", by=self.admin, visibility=Visibility.INTERNAL)
        acknowledge(self.incident, by=self.admin)
        resolve(self.incident, by=self.admin)

        self.plan()

        reference = self.incident.reference
        expected = [f"{reference} {what}: Checkout is down" for what in ("Update", "Acknowledged", "Resolved")]
        self.assertEqual(self.told(self.reporter), expected)
        self.assertEqual(self.told(responder)[1:], expected)
        self.assertEqual(self.told(self.admin), [])
        mails = Delivery.objects.filter(user=self.reporter, channel="email")
        self.assertEqual(mails.count(), 3)
        self.assertFalse(Notification.objects.filter(body__contains="Ours").exists())

    def test_it_does_not_tell_people_what_they_did_themselves(self):
        self.plan()

        self.assertEqual(self.told(self.reporter), [])

    def test_it_tells_nobody_who_may_not_see_the_incident_any_more(self):
        self.incident.subscriptions.all().delete()
        acknowledge(self.incident, by=self.admin)

        self.plan()

        self.assertEqual(self.told(self.reporter), [])

    def test_it_plans_each_event_once(self):
        acknowledge(self.incident, by=self.admin)
        self.plan()
        self.plan()

        self.assertEqual(Delivery.objects.count(), 1)

    def test_it_reads_no_more_for_more_events(self):
        self.plan()
        counts = []
        for number in (1, 5):
            for _ in range(number):
                acknowledge(make_incident(by=make_reporter()), by=self.admin)
            feed.assign_places()
            with CaptureQueriesContext(connection) as queries:
                plan_deliveries(timezone.now())
            counts.append(len([one for one in queries if one["sql"].startswith("SELECT")]))

        self.assertEqual(counts[0], counts[1])


class RoomTests(FeedCase):
    def test_it_tells_rooms_what_they_want_of_their_team(self):
        database, network = make_team("Database"), make_team("Network")
        incident = make_incident(by=self.admin, team=database)
        for name, team, events in (
            ("all", None, ["created", "acknowledged"]),
            ("database", database, ["created"]),
            ("network", network, ["created"]),
            ("off", None, []),
        ):
            make_room(name, "room", team=team, events=events)
        acknowledge(incident, by=self.admin)

        self.plan()

        rows = Delivery.objects.filter(incident=incident, room__isnull=False)
        told = sorted(rows.values_list("room__name", "event__kind"))
        self.assertEqual(told, [("all", "acknowledged"), ("all", "created"), ("database", "created")])

    def test_it_tells_of_restricted_incidents_their_teams_rooms_and_webhooks_without_a_team(self):
        database, network = make_team("Database"), make_team("Network")
        for name, team in (("all", None), ("database", database), ("network", network)):
            make_room(name, "room", team=team, events=["created"])
            make_webhook(name, team=team, events=["created"])
        incidents = [
            make_incident(by=self.admin, title="Payroll leaked", is_restricted=True, team=team)
            for team in (database, None)
        ]

        self.plan()

        told = [
            sorted(row.recipient for row in Delivery.objects.filter(incident=incident, user=None))
            for incident in incidents
        ]
        self.assertEqual(told, [["all", "database", "database"], ["all"]])
        self.assertFalse(Delivery.objects.filter(incident__in=incidents, room__name="all").exists())

    def test_it_tells_rooms_no_more_than_the_reference_of_restricted_incidents(self):
        team = make_team("Database")
        make_room("database", "room", events=["created"], team=team)
        incident = make_incident(by=self.admin, title="Payroll leaked", is_restricted=True, team=team)
        self.plan()

        [message] = self.send_at(now())

        self.assertEqual(message.reference, incident.reference)
        self.assertNotIn("Payroll", str(message))

    @reported_failure(19)
    def test_it_edits_an_earlier_message_once_however_many_changes_came(self):
        make_room("all", "room", events=["created"])
        self.plan()
        moment = now()
        self.send_at(moment)
        for act in (acknowledge, resolve):
            act(self.incident, by=self.admin)
            self.plan()

        edit = Delivery.objects.get(priority=Priority.EDIT)
        self.assertEqual(edit.state, State.WAITING)
        [message] = self.send_at(edit.next_attempt_at)
        self.assertEqual((message.edits, message.status), ("message-1", "resolved"))
        self.assertEqual(self.send_at(edit.next_attempt_at + seconds(60)), [])

    @reported_failure(19)
    def test_it_edits_again_when_the_incident_changes_again(self):
        make_room("all", "room", events=["created"])
        self.plan()
        self.send_at(now())
        acknowledge(self.incident, by=self.admin)
        self.plan()
        self.send_at(now() + seconds(5))
        resolve(self.incident, by=self.admin)
        self.plan()

        [message] = self.send_at(now() + seconds(10))

        self.assertEqual((message.edits, message.status), ("message-1", "resolved"))
        self.assertEqual(Delivery.objects.filter(priority=Priority.EDIT).count(), 1)

    @reported_failure(19)
    def test_it_edits_again_when_the_incident_changes_while_an_edit_is_sent(self):
        make_room("all", "room", events=["created"])
        self.plan()
        self.send_at(now())
        acknowledge(self.incident, by=self.admin)
        self.plan()
        with at(now() + seconds(5)):
            [edit] = claim(self.room_channel, 8)
        resolve(self.incident, by=self.admin)
        self.plan()
        settle(self.room_channel, [Result(edit, receipt=self.script.send(edit.message, edit.address))])

        [message] = self.send_at(now() + seconds(60))

        self.assertEqual((edit.message.status, message.status), ("acknowledged", "resolved"))
        self.assertEqual(self.send_at(now() + seconds(120)), [])


class EditsOfPagesTests(FeedCase):
    """A page that was sent to a chat shows the incident as it is; by phone it follows in 30 minutes."""

    def setUp(self):
        super().setUp()
        self.phone = fake_channel("sms", Script())
        self.enterContext(only_channels(self.mail, self.room_channel, self.phone))
        ana = make_responder()
        self.chat = make_method(ana, "room")
        self.by_phone = make_method(ana, "sms")
        make_rule(ana, (self.chat, 0), (self.by_phone, 30))
        self.page = make_page(ana, self.incident)
        self.moment = now()
        with at(self.moment):
            [sent] = [one for one in claim(self.room_channel, 8) if one.delivery.page_id]
            settle(self.room_channel, [Result(sent, receipt=delivered("message-1"))])
        update(self.incident, fields={"title": "Disk is full"}, by=self.admin)
        self.plan()

    def fail(self, failure):
        with at(self.moment + seconds(60)):
            [edit] = claim(self.room_channel, 8)
            settle(self.room_channel, [Result(edit, failure=failure)])
        return edit.delivery

    @reported_failure(19)
    def test_it_does_not_page_by_the_next_method_because_an_edit_failed(self):
        for failure in (Failed("slow down", retry_after=1), Failed("message deleted", is_permanent=True)):
            with self.subTest(failure.detail):
                Delivery.objects.filter(priority=Priority.EDIT).update(next_attempt_at=self.moment)

                edit = self.fail(failure)

                self.assertEqual((edit.priority, edit.page_id), (Priority.EDIT, self.page.pk))
                self.assertGreater(delivery_of(self.page, "sms").next_attempt_at, self.moment + seconds(1000))
        self.chat.refresh_from_db()
        self.assertEqual(self.chat.state, MethodState.OK)

    @reported_failure(17)
    def test_it_takes_no_edit_for_the_next_method(self):
        try_next([self.page.pk], self.moment)

        self.assertEqual(delivery_of(self.page, "sms").next_attempt_at, self.moment)
