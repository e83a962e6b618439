import datetime as dt

from django.db.models import Q
from django.test import TestCase, override_settings

from core.severity import Severity
from incidents.services import resolve
from incidents.tests.factories import make_incident
from notifications.channels.phone.usage import admit
from notifications.channels.port import Failed, channel_of
from notifications.models import Delivery
from notifications.pacing import Limit
from notifications.services import answers, ledger
from notifications.services.claiming import LEASE, claim
from notifications.services.settling import Result, settle
from notifications.tests.factories import at, make_method, make_page, make_room, now, seconds
from notifications.tests.fakes import Script, accepted, fake_channel, only_channels
from notifications.vocabulary import State
from tests.reported import reported_failure
from users.tests.factories import make_admin, make_reporter, make_responder


class EngineCase(TestCase):
    """Claims, sends and settles in one thread, by a clock of the test's."""

    def setUp(self):
        self.script = Script()
        self.channel = fake_channel("fake", self.script)
        self.enterContext(only_channels(self.channel))
        self.ana, self.reporter = make_responder(), make_reporter()
        self.moment = now()

    def run_at(self, moment, free=8):
        """Send all that is due; return how many messages went out."""
        count = 0
        with at(moment):
            while claimed := claim(self.channel, free):
                settle(self.channel, [self.send(one) for one in claimed])
                count += len(claimed)
        return count

    def send(self, one):
        if one.failure is not None:
            return Result(one, failure=one.failure)
        try:
            return Result(one, receipt=self.script.send(one.message, one.address))
        except Failed as failure:
            return Result(one, failure=failure)

    def page(self, user=None, **fields):
        return make_page(user or self.ana, make_incident(by=self.reporter, **fields))

    def states(self):
        return list(Delivery.objects.filter(kind="page").order_by("id").values_list("state", flat=True))


class BundleTests(EngineCase):
    def setUp(self):
        super().setUp()
        self.method = make_method(self.ana)

    @reported_failure(18)
    def test_it_sends_twenty_incidents_of_a_minute_as_one_message_that_says_twenty(self):
        with at(self.moment):
            for number in range(20):
                self.page(severity=Severity.CRITICAL if number < 12 else Severity.HIGH)

        self.assertEqual(self.run_at(self.moment), 1)

        [message] = self.script.messages
        self.assertEqual(message.title, "20 incidents need you: 12 critical, 8 high")
        self.assertEqual((message.count, len(message.lines), message.lines[-1]), (20, 11, "and 10 more"))
        self.assertEqual([button.label for button in message.buttons], ["Acknowledge all 20"])
        lead = Delivery.objects.get(kind="page", bundle=None)
        self.assertEqual((lead.bundle_count, lead.bundled.count()), (19, 19))
        self.assertEqual(set(self.states()), {State.ACCEPTED})
        self.assertFalse(Delivery.objects.filter(kind="page", handed_over_at=None).exists())

    @reported_failure(18)
    def test_it_sends_the_first_at_once_and_holds_what_follows_visibly_until_the_next_message(self):
        with at(self.moment):
            self.page()
        self.run_at(self.moment)
        with at(self.moment + seconds(1)):
            self.page()
            self.page()

        self.run_at(self.moment + seconds(1))

        held = Delivery.objects.filter(state=State.HELD)
        self.assertEqual(
            set(held.values_list("held_because", "next_attempt_at")),
            {("Gathered into the next message to this recipient", self.moment + seconds(3))},
        )
        self.assertEqual(self.run_at(self.moment + seconds(3)), 1)
        self.assertEqual([message.count for message in self.script.messages], [1, 2])

    @reported_failure(18)
    def test_it_sends_a_storm_in_few_messages_with_exact_counts(self):
        for second in range(0, 120, 2):
            moment = self.moment + seconds(second)
            with at(moment):
                for _ in range(3):
                    self.page()
            self.run_at(moment)
        self.run_at(self.moment + seconds(200))

        counts = [message.count for message in self.script.messages]
        self.assertEqual((sum(counts), counts[0]), (180, 3))
        self.assertLessEqual(len(counts), 6)
        self.assertEqual(set(self.states()), {State.ACCEPTED})

    @reported_failure(18)
    def test_it_lets_lone_incidents_wait_for_no_bundle(self):
        for minutes in (0, 1, 2, 3, 4, 5, 6, 7):
            with self.subTest(minutes=minutes):
                moment = self.moment + dt.timedelta(minutes=minutes)
                with at(moment):
                    self.page()

                self.assertEqual(self.run_at(moment), 1)

    @reported_failure(13)
    def test_it_sends_one_message_with_the_true_age_after_an_outage(self):
        with at(self.moment):
            for _ in range(3):
                self.page()

        self.run_at(self.moment + dt.timedelta(hours=2, seconds=30))

        [message] = self.script.messages
        self.assertEqual(message.count, 3)
        self.assertIn("(2 h ago)", message.lines[0])

    def test_it_leaves_out_what_was_answered_meanwhile(self):
        pages = [self.page() for _ in range(3)]
        resolve(pages[0].incident, by=make_admin())

        self.run_at(now())

        self.assertEqual([message.count for message in self.script.messages], [2])
        self.assertEqual(sorted(self.states()), [State.ACCEPTED, State.ACCEPTED, State.CANCELLED])

    def test_it_repeats_a_bundle_as_a_whole_and_takes_along_what_came_since(self):
        with at(self.moment):
            self.page()
            self.page()
        self.script.steps = [Failed("busy"), accepted()]
        self.run_at(self.moment)
        again_at = Delivery.objects.get(bundle_count=1).next_attempt_at
        with at(again_at):
            self.page()

        self.run_at(again_at)

        self.assertEqual([message.count for message in self.script.messages], [2, 3])
        self.assertEqual(self.states(), [State.ACCEPTED] * 3)

    def test_it_lets_the_others_go_on_when_the_carrier_is_answered_between_attempts(self):
        with at(self.moment):
            self.page()
            self.page()
        self.script.steps = [Failed("busy"), accepted()]
        self.run_at(self.moment)
        lead = Delivery.objects.get(bundle_count=1)

        resolve(lead.incident, by=make_admin())
        self.run_at(now() + seconds(60))

        self.assertEqual([message.count for message in self.script.messages], [2, 1])
        self.assertEqual(self.states(), [State.CANCELLED, State.ACCEPTED])

    def test_it_sends_again_what_a_lost_worker_carried(self):
        with at(self.moment):
            self.page()
            self.page()
            claim(self.channel, 4)

        self.run_at(self.moment + LEASE)

        self.assertEqual([message.count for message in self.script.messages], [2])
        self.assertEqual(self.states(), [State.ACCEPTED] * 2)

    def test_it_fails_all_that_a_message_carried(self):
        pages = [self.page(), self.page()]
        self.script.steps = [Failed("gone", is_permanent=True)]

        self.run_at(now())

        for page in pages:
            page.refresh_from_db()
            self.assertIsNotNone(page.failed_at)
        self.assertEqual(self.states(), [State.FAILED] * 2)

    def test_it_bundles_nobody_with_somebody_else(self):
        ben = make_responder()
        make_method(ben)
        self.page()
        self.page(ben)

        self.assertEqual(self.run_at(now()), 2)

    def test_it_releases_a_held_delivery_by_hand(self):
        with at(self.moment):
            self.page()
        self.run_at(self.moment)
        with at(self.moment + seconds(1)):
            self.page()
        self.run_at(self.moment + seconds(1))

        with at(self.moment + seconds(2)):
            ledger.release(Delivery.objects.get(state=State.HELD))

        self.assertEqual(self.run_at(self.moment + seconds(2)), 1)

    def test_it_sends_single_posts_to_a_room_until_they_are_too_many(self):
        room = make_room()
        with at(self.moment):
            for _ in range(3):
                make_page(target_kind="channel", target_id=room.pk, incident=make_incident(by=self.reporter))
        self.assertEqual(self.run_at(self.moment), 3)

        later = self.moment + seconds(1)
        with at(later):
            for _ in range(30):
                make_page(target_kind="channel", target_id=room.pk, incident=make_incident(by=self.reporter))
        self.run_at(later)
        self.run_at(later + seconds(61))

        self.assertLessEqual(len(self.script.sent), 13)
        self.assertEqual(sum(message.count for message in self.script.messages), 33)

    def test_it_acknowledges_all_that_a_message_stood_for(self):
        admin = make_admin()
        make_method(admin)
        pages = [self.page(admin) for _ in range(3)]
        self.run_at(now())
        lead = Delivery.objects.get(bundle_count=2)

        answer = answers.answer(admin, lead.incident_id, "acknowledge", channel_name="Email", delivery=lead)

        self.assertEqual(answer.text, "You acknowledged 3 of 3 incidents.")
        for page in pages:
            page.incident.refresh_from_db()
            self.assertEqual(page.incident.status, "acknowledged")
        self.assertEqual(set(self.states()), {State.ANSWERED})


@override_settings(NOTIFICATION_LIMITS={"fake": Limit(6, 60.0)})
class LimitTests(EngineCase):
    def setUp(self):
        super().setUp()
        self.people = [make_responder() for _ in range(4)]
        for person in self.people:
            make_method(person)

    @reported_failure(18)
    def test_it_holds_what_exceeds_the_providers_limit_with_reason_and_time(self):
        with at(self.moment):
            for person in self.people:
                self.page(person)

        self.assertEqual(self.run_at(self.moment), 1)

        held = Delivery.objects.filter(state=State.HELD).order_by("next_attempt_at")
        self.assertEqual({row.held_because for row in held}, {"Limit of Fake: 6 a minute"})
        self.assertEqual([(row.next_attempt_at - self.moment).total_seconds() for row in held], [10, 20, 30])

    def test_it_releases_them_by_itself_and_pages_before_updates(self):
        with at(self.moment):
            for person in self.people:
                self.page(person)
            Delivery.objects.update(priority=2)
            self.run_at(self.moment)
            self.page(self.people[0])

        sent = [self.run_at(self.moment + seconds(second)) for second in range(10, 50, 10)]

        self.assertEqual(sum(sent), 4)
        last = Delivery.objects.get(priority=0)
        first_held = Delivery.objects.filter(~Q(pk=last.pk), first_attempt_at__gt=self.moment).order_by(
            "first_attempt_at"
        )
        self.assertLessEqual(last.first_attempt_at, first_held[0].first_attempt_at)

    def test_it_counts_nothing_that_was_not_sent(self):
        with at(self.moment):
            page = self.page(self.people[0])
            resolve(page.incident, by=make_admin())
            Delivery.objects.update(state=State.WAITING, next_attempt_at=self.moment)
            self.assertEqual(self.run_at(self.moment), 0)
            self.page(self.people[1])

        self.assertEqual(self.run_at(self.moment), 1)


@override_settings(PHONE_DAILY_PER_NUMBER=0, PHONE_DAILY_PER_PERSON=1, PHONE_DAILY_PER_COUNTRY=3)
class PersonalCapTests(EngineCase):
    """A person may be sent one SMS a day."""

    def setUp(self):
        super().setUp()
        self.enterContext(only_channels(fake_channel("fake", self.script, admit=admit)))
        self.channel = channel_of("fake")
        make_method(self.ana, address="+41791234567")

    def page_at(self, minutes, **fields):
        moment = self.moment + dt.timedelta(minutes=minutes)
        with at(moment):
            page = make_page(self.ana, **fields)
        self.run_at(moment)
        return Delivery.objects.get(page_id=page.pk).reason

    @reported_failure(18)
    def test_it_refuses_no_first_page_of_high_importance_to_the_person(self):
        first, second = make_incident(by=self.reporter), make_incident(by=self.reporter)

        self.assertEqual(self.page_at(0, incident=first), "")
        self.assertEqual(self.page_at(2, incident=second), "")
        self.assertIn("PHONE_DAILY_PER_PERSON", self.page_at(4, incident=second))
        self.assertIn("PHONE_DAILY_PER_PERSON", self.page_at(6, importance="low"))

    def test_it_keeps_the_caps_against_toll_fraud(self):
        reasons = [self.page_at(minutes) for minutes in (0, 2, 4, 6)]

        self.assertEqual(reasons[:3], ["", "", ""])
        self.assertIn("PHONE_DAILY_PER_COUNTRY", reasons[3])


class PriorityTests(EngineCase):
    @reported_failure(19)
    def test_it_sends_pages_before_posts_before_edits(self):
        with at(self.moment):
            for priority in (3, 2, 0):
                person = make_responder()
                make_method(person)
                page = self.page(person)
                Delivery.objects.filter(page_id=page.pk).update(priority=priority)

        with at(self.moment):
            order = [claim(self.channel, 1)[0].delivery.priority for _ in range(3)]

        self.assertEqual(order, [0, 2, 3])
