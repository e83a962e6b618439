import datetime as dt

from django.test import TestCase

from notifications import monitoring
from notifications.models import Delivery, DeliveryAttempt, Notification
from notifications.services import reach, upkeep
from notifications.services.claiming import claim
from notifications.services.planning import cancel_pages
from notifications.tests.factories import deliver, make_method, make_page, make_rule, now, seconds
from notifications.tests.fakes import Script, fake_channel, only_channels
from notifications.vocabulary import Outcome, State
from paging.pages import delivery_details, reach_of
from tests.reported import reported_failure
from users.tests.factories import make_responder


class UpkeepTests(TestCase):
    def setUp(self):
        self.channel = fake_channel("fake", Script())
        self.enterContext(only_channels(self.channel))
        self.ana = make_responder()
        make_method(self.ana)

    def test_it_frees_what_an_ended_carrier_left_behind(self):
        lead, stranded = (Delivery.objects.get(page_id=make_page(self.ana).pk) for _ in range(2))
        Delivery.objects.filter(pk=lead.pk).update(state=State.CANCELLED, next_attempt_at=None, bundle_count=1)
        Delivery.objects.filter(pk=stranded.pk).update(bundle=lead, next_attempt_at=None)

        self.assertEqual(upkeep.free_stranded(now()), 1)

        stranded.refresh_from_db()
        self.assertIsNone(stranded.bundle)
        self.assertIsNotNone(stranded.next_attempt_at)

    @reported_failure(17)
    def test_it_ends_the_attempts_of_a_lost_worker_on_what_was_withdrawn_meanwhile(self):
        page = make_page(self.ana)
        claim(self.channel, 1)
        cancel_pages([page.pk], now())
        row = Delivery.objects.get(page_id=page.pk)

        found = [upkeep.end_abandoned(row.leased_until + seconds(late)) for late in (-1, 1, 1)]

        attempt = DeliveryAttempt.objects.get(delivery=row)
        row.refresh_from_db()
        self.assertEqual(found, [0, 1, 0])
        self.assertEqual((row.state, row.leased_until), (State.CANCELLED, None))
        self.assertEqual(attempt.outcome, Outcome.INTERRUPTED)
        self.assertIn("may have arrived", attempt.detail)

    def test_it_fails_what_is_due_by_a_channel_that_is_gone(self):
        page = make_page(self.ana)
        with only_channels():
            upkeep.fail_unknown(now())

        row = Delivery.objects.get(page_id=page.pk)
        self.assertEqual((row.state, row.reason), (State.FAILED, "This installation has no such channel."))
        page.refresh_from_db()
        self.assertIsNotNone(page.failed_at)

    def test_it_deletes_what_ended_long_ago_and_keeps_what_waits(self):
        for _ in range(2):
            make_page(self.ana)
        old, waiting = Delivery.objects.order_by("id")
        Delivery.objects.filter(pk=old.pk).update(state=State.ACCEPTED, next_attempt_at=None)

        upkeep.prune(now() + dt.timedelta(days=89))
        self.assertEqual(Delivery.objects.count(), 2)
        upkeep.prune(now() + dt.timedelta(days=91))

        self.assertEqual(list(Delivery.objects.all()), [waiting])
        self.assertFalse(Notification.objects.exists())


class ReachTests(TestCase):
    def setUp(self):
        self.enterContext(only_channels(fake_channel("fake"), fake_channel("sms")))
        self.ana = make_responder()

    def test_it_says_how_people_would_be_reached(self):
        first, second = make_method(self.ana, "fake", "a"), make_method(self.ana, "sms", "b")
        make_rule(self.ana, (first, 0), (second, 5))

        found = reach_of([self.ana.pk], "high", now())

        self.assertEqual([(way.method, way.after_minutes) for way in found[self.ana.pk]], [("fake", 0), ("sms", 5)])
        self.assertEqual(reach_of([make_responder().pk], "high", now()).popitem()[1], [])

    def test_it_shows_what_became_of_a_page(self):
        make_method(self.ana)
        page = make_page(self.ana)

        [detail] = delivery_details([page])[page.pk]

        self.assertEqual((detail["channel"], detail["state"], detail["answered_at"]), ("fake", "waiting", None))

    @reported_failure(10)
    def test_it_reports_what_is_stuck(self):
        make_method(self.ana)
        make_page(self.ana)

        self.assertEqual(list(reach.stuck(now())), [])
        self.assertEqual(
            list(reach.stuck(now() + seconds(301))), ["1 delivery by fake is overdue by more than 5 minutes."]
        )


class MonitoringTests(TestCase):
    def test_it_counts_attempts_waits_and_what_is_held(self):
        channel = fake_channel("fake", Script())
        self.enterContext(only_channels(channel))
        ana = make_responder()
        make_method(ana)
        make_page(ana)
        deliver(channel)
        make_page(ana)
        deliver(channel)

        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in monitoring.collect()
            for sample in family.samples
        }

        self.assertEqual(samples["incident_response_notification_attempts_total", "fake", "accepted"], 1)
        self.assertEqual(samples["incident_response_notification_first_attempt_seconds_count", "fake"], 1)
        self.assertEqual(
            samples["incident_response_notification_held", "Gathered into the next message to this recipient"], 1
        )
        self.assertEqual(DeliveryAttempt.objects.count(), 1)
