"""Several workers at once, and senders that hang; with real threads and transactions."""

import threading

from django.db import connection
from django.test import TransactionTestCase, skipUnlessDBFeature

from incidents.tests.factories import make_incident
from notifications.channels.port import Failed
from notifications.models import Delivery, DeliveryAttempt
from notifications.services import sending
from notifications.services.sending import Sender
from notifications.tests.factories import deliver, make_method, make_page
from notifications.tests.fakes import Script, accepted, fake_channel, only_channels
from notifications.vocabulary import State
from tests.reported import reported_failure
from users.tests.factories import make_reporter, make_responder


def in_threads(count, function):
    def run():
        try:
            function()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


class WorkersTests(TransactionTestCase):
    def setUp(self):
        self.script, self.mail = Script(), Script()
        self.channel, self.mail_channel = fake_channel("fake", self.script), fake_channel("email", self.mail)
        self.enterContext(only_channels(self.channel, self.mail_channel))
        self.incident = make_incident(by=make_reporter())

    def page(self, count, kind="fake"):
        for _ in range(count):
            person = make_responder()
            make_method(person, kind)
            make_page(person, self.incident)

    @skipUnlessDBFeature("has_select_for_update_skip_locked")
    def test_it_shares_deliveries_among_workers_and_repeats_none(self):
        self.page(40)

        in_threads(3, lambda: Sender(self.channel).run())

        self.assertEqual(len(self.script.sent), 40)
        self.assertEqual(len({message.key for message in self.script.messages}), 40)
        self.assertEqual(set(Delivery.objects.values_list("state", flat=True)), {State.ACCEPTED})
        self.assertEqual(DeliveryAttempt.objects.count(), 40)

    @skipUnlessDBFeature("has_select_for_update_skip_locked")
    @reported_failure(18)
    def test_it_sends_one_message_to_a_person_however_many_workers_look(self):
        ana = make_responder()
        make_method(ana)
        for _ in range(30):
            make_page(ana, make_incident())

        in_threads(4, lambda: Sender(self.channel).run())

        self.assertLessEqual(len(self.script.sent), 2)
        counted = sum(message.count for message in self.script.messages)
        held = Delivery.objects.filter(state=State.HELD).count()
        self.assertEqual(counted + held, 30)

    def test_it_goes_on_sending_while_most_threads_hang(self):
        others_are_sent = threading.Event()
        sent = []

        def hang(message, to):
            self.assertTrue(others_are_sent.wait(30))
            return accepted()

        def note(message, to):
            sent.append(message)
            if len(sent) == 7:
                others_are_sent.set()
            return accepted()

        self.script.steps = [hang, hang, hang, note]
        self.page(10)

        deliver(self.channel)

        self.assertEqual(set(Delivery.objects.values_list("state", flat=True)), {State.ACCEPTED})

    def test_it_keeps_results_that_the_database_did_not_take_and_writes_them_later(self):
        self.page(1)
        sender, settle = Sender(self.channel), sending.settle
        broken = [True]

        def failing(channel, results):
            if broken.pop() if broken else False:
                raise ConnectionError
            settle(channel, results)

        sending.settle = failing
        self.addCleanup(setattr, sending, "settle", settle)
        self.assertRaises(ConnectionError, sender.run)

        sender.run()

        self.assertEqual(len(self.script.sent), 1)
        self.assertEqual(Delivery.objects.get().state, State.ACCEPTED)

    def test_it_ends_soon_when_the_worker_stops_and_finishes_what_is_in_flight(self):
        self.page(20)
        stopping = threading.Event()
        self.script.steps = [lambda message, to: stopping.set() or accepted()]
        self.addCleanup(setattr, sending, "is_stopping", sending.is_stopping)
        sending.is_stopping = stopping.is_set

        deliver(self.channel)

        states = list(Delivery.objects.values_list("state", flat=True))
        self.assertEqual(states.count(State.ACCEPTED), len(self.script.sent))
        self.assertGreater(states.count(State.WAITING), 0)
        self.assertFalse(Delivery.objects.filter(state=State.WAITING, leased_until__isnull=False).exists())

    def test_it_leaves_a_send_that_never_ends_to_its_lease(self):
        release = threading.Event()
        self.addCleanup(release.set)
        self.script.steps = [lambda message, to: release.wait(60) and accepted(), Failed("busy")]
        self.page(1)
        moment = [0.0]

        def clock():
            moment[0] += 40
            return moment[0]

        with self.assertLogs("notifications.services.sending", "ERROR"):
            Sender(self.channel, clock).run()

        row = Delivery.objects.get()
        self.assertEqual((row.state, row.attempts.get().outcome), (State.WAITING, "started"))
        self.assertIsNotNone(row.leased_until)
