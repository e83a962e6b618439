import itertools
import threading
from unittest import mock

from django.db import connection
from django.test import TestCase, TransactionTestCase, skipUnlessDBFeature

from incidents.services import resolve
from incidents.tests.factories import make_incident
from notifications.channels.port import Failed, Receipt, Stage
from notifications.models import ContactMethod, Delivery, DeliveryAttempt
from notifications.services import loading, sending
from notifications.services.claiming import LEASE, claim
from notifications.services.composing import compose
from notifications.services.settling import Result, settle
from notifications.tests.factories import at, deliver, delivery_of, make_method, make_page, make_rule, now, seconds
from notifications.tests.fakes import Script, accepted, delivered, fake_channel, only_channels
from notifications.vocabulary import MethodState, Outcome, State
from tests.reported import reported_failure
from users.tests.factories import make_admin, make_responder


def outcomes(delivery):
    return list(delivery.attempts.order_by("number").values_list("outcome", flat=True))


class SenderTests(TransactionTestCase):
    def setUp(self):
        self.script = Script()
        self.sms = Script()
        self.channel = fake_channel("fake", self.script)
        self.sms_channel = fake_channel("sms", self.sms)
        self.enterContext(only_channels(self.channel, self.sms_channel))
        self.ana = make_responder()

    def test_it_sends_a_page_and_keeps_what_the_provider_answered(self):
        make_method(self.ana)
        page = make_page(self.ana)
        self.script.steps = [delivered("message-1")]

        self.assertEqual(deliver(self.channel), 1)

        row = delivery_of(page)
        self.assertEqual((row.state, row.provider_id, row.next_attempt_at), (State.DELIVERED, "message-1", None))
        self.assertTrue(row.handed_over_at and row.accepted_at and row.delivered_at)
        self.assertIsNone(row.answered_at)
        self.assertEqual(outcomes(row), [Outcome.DELIVERED])
        [message] = self.script.messages
        self.assertEqual(message.key, row.key)
        self.assertIn("You are on call: Primary, layer Weekdays", message.lines)
        self.assertTrue(message.answer_url and message.reply_code)

    def test_it_sends_nothing_twice(self):
        make_method(self.ana)
        make_page(self.ana)

        deliver(self.channel)
        deliver(self.channel)

        self.assertEqual(len(self.script.sent), 1)

    @reported_failure(12, 16)
    def test_it_asks_at_each_send_whether_the_incident_still_needs_somebody(self):
        make_method(self.ana)
        incident = make_incident()
        page = make_page(self.ana, incident)
        resolve(incident, by=make_admin())
        Delivery.objects.update(state=State.WAITING, next_attempt_at=now() - seconds(1))  # a cancelling that was lost

        deliver(self.channel)

        self.assertEqual(self.script.sent, [])
        self.assertEqual(
            (delivery_of(page).state, delivery_of(page).reason), (State.CANCELLED, "The incident is resolved.")
        )

    @reported_failure(17)
    def test_it_repeats_temporary_failures_with_growing_waits_and_the_same_key(self):
        make_method(self.ana)
        page = make_page(self.ana)
        self.script.steps = [Failed("busy"), Failed("busy"), accepted()]
        moment = now()

        waits = []
        for _ in range(3):
            with at(moment):
                deliver(self.channel)
            row = delivery_of(page)
            if row.next_attempt_at:
                waits.append((row.next_attempt_at - moment).total_seconds())
                moment = row.next_attempt_at + seconds(0.001)

        self.assertEqual(outcomes(row), [Outcome.RETRY, Outcome.RETRY, Outcome.ACCEPTED])
        self.assertTrue(3 <= waits[0] <= 7 and 6 <= waits[1] <= 14, waits)
        self.assertEqual(len({message.key for message in self.script.messages}), 1)
        self.assertEqual([message.attempt for message in self.script.messages], [1, 2, 3])

    @reported_failure(17)
    def test_it_goes_on_to_the_next_method_when_one_gives_up_for_good(self):
        make_rule(self.ana, (make_method(self.ana), 0), (make_method(self.ana, "sms"), 30))
        page = make_page(self.ana)
        self.script.steps = [Failed("no such number", is_permanent=True)]

        deliver(self.channel)
        deliver(self.sms_channel)

        self.assertEqual(delivery_of(page).state, State.FAILED)
        self.assertEqual(len(self.sms.sent), 1)
        method = ContactMethod.objects.get(kind="fake")
        self.assertEqual((method.state, method.reason), (MethodState.FAILING, "no such number"))
        self.assertIsNotNone(method.failing_since)

    @reported_failure(19)
    def test_it_goes_on_at_once_when_a_provider_limits_us_and_repeats_when_that_allows(self):
        make_rule(self.ana, (make_method(self.ana), 0), (make_method(self.ana, "sms"), 30))
        page = make_page(self.ana)
        self.script.steps = [Failed("slow down", retry_after=90)]
        moment = now()

        with at(moment):
            deliver(self.channel)
            deliver(self.sms_channel)

        row = delivery_of(page)
        self.assertEqual((row.state, row.next_attempt_at), (State.WAITING, moment + seconds(90)))
        self.assertEqual(len(self.sms.sent), 1)

    def test_it_tells_the_escalation_when_every_attempt_failed(self):
        make_method(self.ana)
        make_method(self.ana, "sms")
        page = make_page(self.ana)
        self.script.steps = self.sms.steps = [Failed("gone", is_permanent=True)]

        deliver(self.channel)
        page.refresh_from_db()
        self.assertIsNone(page.failed_at)
        deliver(self.sms_channel)

        page.refresh_from_db()
        self.assertIsNotNone(page.failed_at)

    def test_it_gives_up_loudly_after_the_horizon(self):
        make_method(self.ana)
        page = make_page(self.ana)
        self.script.steps = [Failed("busy")]
        Delivery.objects.update(gives_up_at=now())

        deliver(self.channel)

        row = delivery_of(page)
        self.assertEqual((row.state, row.reason), (State.FAILED, "busy"))
        page.refresh_from_db()
        self.assertIsNotNone(page.failed_at)

    @reported_failure(14)
    def test_it_uses_a_method_that_was_verified_after_the_page(self):
        make_method(self.ana)
        make_page(self.ana)
        make_method(self.ana, "sms")
        self.script.steps = [Failed("gone", is_permanent=True)]

        deliver(self.channel)
        deliver(self.sms_channel)

        self.assertEqual(len(self.sms.sent), 1)

    def test_it_disables_a_dead_address_and_tells_its_owner_another_way(self):
        make_method(self.ana)
        make_method(self.ana, "sms")
        make_page(self.ana)
        self.script.steps = [Failed("410 Gone", disables=True)]

        deliver(self.channel)
        deliver(self.sms_channel)

        method = ContactMethod.objects.get(kind="fake")
        self.assertEqual((method.state, method.reason), (MethodState.DISABLED, "410 Gone"))
        self.assertIn("You are no longer reached by Fake", self.sms.titles[-1])

    def test_it_fails_what_was_planned_for_a_removed_method(self):
        make_method(self.ana).delete()
        make_method(self.ana, "sms")
        method = make_method(self.ana)
        page = make_page(self.ana)
        method.delete()

        deliver(self.channel)

        self.assertEqual(delivery_of(page).reason, "The contact method, channel or webhook was removed.")
        self.assertEqual(outcomes(delivery_of(page)), [Outcome.FAILED])

    def test_it_survives_a_channel_that_breaks_the_contract(self):
        make_method(self.ana)
        page = make_page(self.ana)

        def broken(message, to):
            raise ValueError("a secret")

        self.script.steps = [broken]

        deliver(self.channel)

        [attempt] = DeliveryAttempt.objects.filter(delivery=delivery_of(page))
        self.assertEqual(
            (attempt.outcome, attempt.detail), (Outcome.RETRY, "ValueError in the channel; see the worker's log.")
        )

    @reported_failure(17)
    def test_it_sends_the_others_when_one_message_cannot_be_written(self):
        pages = []
        for _ in range(2):
            person = make_responder()
            make_method(person)
            pages.append(make_page(person))
        broken = delivery_of(pages[0])

        def write(parcel):
            if parcel.delivery.pk == broken.pk:
                raise KeyError("unforeseen")
            return compose(parcel)

        with mock.patch.object(loading, "compose", write), self.assertLogs("notifications.services.loading", "ERROR"):
            deliver(self.channel)

        self.assertEqual(delivery_of(pages[1]).state, State.ACCEPTED)
        self.assertEqual((delivery_of(pages[0]).state, outcomes(broken)), (State.WAITING, [Outcome.RETRY]))

    def test_it_writes_what_it_can_when_one_result_cannot_be_written(self):
        for _ in range(3):
            person = make_responder()
            make_method(person)
            make_page(person)
        self.script.steps = [Receipt(Stage.ACCEPTED, data={"unwritable": object()}), accepted()]

        with self.assertLogs("notifications.services.sending", "ERROR"):
            deliver(self.channel)

        states = Delivery.objects.order_by("id").values_list("state", flat=True)
        self.assertEqual(sorted(states), [State.ACCEPTED, State.ACCEPTED, State.WAITING])

    def page_people(self, number):
        for _ in range(number):
            person = make_responder()
            make_method(person)
            make_page(person)

    @skipUnlessDBFeature("has_select_for_update")
    def test_it_claims_by_a_sound_connection_while_a_message_is_being_sent(self):
        self.page_people(1)
        claims, is_claimed_again = [], threading.Event()

        def note(channel, free):
            claims.append(threading.current_thread() is threading.main_thread())
            if len(claims) > 1:
                is_claimed_again.set()
            return claim(channel, free)

        def wait(message, to):
            is_claimed_again.wait(5)
            return accepted()

        self.script.steps = [wait]
        with (
            mock.patch.object(sending, "claim", note),
            mock.patch.object(sending, "close_old_connections") as close_broken,
        ):
            deliver(self.channel)

        self.assertEqual(claims[:2], [True, False])
        self.assertEqual(close_broken.call_count, claims.count(False))
        claimer = sending.sender_of(self.channel)._claimer
        self.assertIsNone(claimer.submit(lambda: connection.connection).result(), "the thread keeps its connection")
        self.assertEqual(Delivery.objects.get().state, State.ACCEPTED)

    def test_it_sends_nothing_whose_lease_has_passed_meanwhile(self):
        self.page_people(1)

        with mock.patch.object(sending, "database_now", lambda: now() + LEASE):
            deliver(self.channel)

        self.assertEqual(self.script.sent, [])
        self.assertIsNotNone(Delivery.objects.get().leased_until)

    def test_it_leaves_what_is_stuck_to_its_lease(self):
        self.page_people(2)
        is_over, moments = threading.Event(), itertools.count(step=20.0)
        self.addCleanup(is_over.set)

        def hang(message, to):
            is_over.wait(5)
            return accepted()

        self.script.steps = [hang]
        sender = sending.Sender(fake_channel("fake", self.script, concurrency=1), clock=lambda: next(moments))
        with self.assertLogs("notifications.services.sending", "ERROR"), mock.patch.object(sending, "renew"):
            done = sender.run()

        left = Delivery.objects.filter(leased_until__isnull=False, state=State.WAITING).count()
        self.assertEqual((done, left), (0, len(self.script.sent)))
        self.assertGreater(left, 0)


class CrashTests(TestCase):
    """What is repeated, and what the ledger says, when a worker dies between two lines."""

    def setUp(self):
        self.script = Script()
        self.channel = fake_channel("fake", self.script)
        self.enterContext(only_channels(self.channel))
        self.ana = make_responder()
        make_method(self.ana)
        self.page = make_page(self.ana)
        self.moment = now()

    def deliver_at(self, moment):
        with at(moment):
            claimed = claim(self.channel, 4)
            settle(self.channel, [Result(one, receipt=self.script.send(one.message, one.address)) for one in claimed])
        return len(claimed)

    @reported_failure(17)
    def test_it_loses_nothing_before_the_claim(self):
        self.assertEqual(self.deliver_at(self.moment), 1)
        self.assertEqual(outcomes(delivery_of(self.page)), [Outcome.ACCEPTED])

    @reported_failure(17)
    def test_it_sends_what_a_worker_claimed_and_never_sent_once_the_lease_ends(self):
        with at(self.moment):
            self.assertEqual(len(claim(self.channel, 4)), 1)

        self.assertEqual(self.deliver_at(self.moment + LEASE - seconds(1)), 0)
        self.assertEqual(self.deliver_at(self.moment + LEASE), 1)

        self.assertEqual(outcomes(delivery_of(self.page)), [Outcome.INTERRUPTED, Outcome.ACCEPTED])
        self.assertEqual(len(self.script.sent), 1)

    @reported_failure(17)
    def test_it_repeats_with_the_same_key_what_was_sent_before_the_outcome_was_written(self):
        with at(self.moment):
            [claimed] = claim(self.channel, 4)
            self.script.send(claimed.message, claimed.address)

        self.deliver_at(self.moment + LEASE)

        first, second = self.script.messages
        self.assertEqual(
            (first.key, first.answer_url, first.reply_code), (second.key, second.answer_url, second.reply_code)
        )
        self.assertEqual((first.attempt, second.attempt), (1, 2))
        self.assertEqual(outcomes(delivery_of(self.page)), [Outcome.INTERRUPTED, Outcome.ACCEPTED])

    def test_it_takes_a_late_result_as_a_fact_and_leaves_the_new_attempt_alone(self):
        with at(self.moment):
            [slow] = claim(self.channel, 4)
        with at(self.moment + LEASE):
            [again] = claim(self.channel, 4)
            settle(self.channel, [Result(slow, failure=Failed("timed out"))])

            row = delivery_of(self.page)
            self.assertEqual((row.state, row.next_attempt_at), (State.WAITING, self.moment + 2 * LEASE))
            settle(self.channel, [Result(again, receipt=accepted("2"))])

        row = delivery_of(self.page)
        self.assertEqual((row.state, row.provider_id), (State.ACCEPTED, "2"))
        self.assertEqual(outcomes(row), [Outcome.RETRY, Outcome.ACCEPTED])

    @reported_failure(12)
    def test_it_cancels_what_a_lost_worker_claimed_when_somebody_answers(self):
        with at(self.moment):
            claim(self.channel, 4)
        resolve(self.page.incident, by=make_admin())

        self.assertEqual(self.deliver_at(self.moment + LEASE), 0)

        self.assertEqual((self.script.sent, delivery_of(self.page).state), ([], State.CANCELLED))

    def test_it_notes_that_a_withdrawn_page_had_been_sent_already(self):
        with at(self.moment):
            [claimed] = claim(self.channel, 4)
        resolve(self.page.incident, by=make_admin())

        settle(self.channel, [Result(claimed, receipt=accepted())])

        row = delivery_of(self.page)
        self.assertEqual((row.state, row.reason), (State.ACCEPTED, "Withdrawn while it was being sent."))
