import datetime as dt
from unittest import mock

from django.test import TestCase

from core.db.clock import database_now
from notifications import jobs
from notifications.models import Delivery
from notifications.services import outbox
from notifications.services.outbox import Target, new_delivery
from notifications.vocabulary import Kind

PLACES = ("email", "webhook", "slack")


class WatchTests(TestCase):
    def make_deliveries(self, *minutes):
        now = database_now()
        for number, (channel, due) in enumerate(zip(PLACES, minutes, strict=True)):
            target = Target(channel, f"room:{number}", "room")
            row = new_delivery("test", target, Kind.NOTICE, at=now, due_at=now + dt.timedelta(minutes=due))
            row.save()

    def watch(self):
        with mock.patch.object(jobs, "wake") as wake:
            jobs.watch_deliveries(database_now())
        return wake.call_args.args

    def test_it_wakes_the_channels_that_have_something_due_by_one_statement(self):
        self.make_deliveries(-1, 5, -3)
        database_now()

        with self.assertNumQueries(1):
            woken = self.watch()

        self.assertEqual(woken, ("deliver_email", "deliver_slack"))

    def test_it_wakes_nobody_while_nothing_is_due(self):
        self.make_deliveries(1, 2, 3)

        self.assertEqual(self.watch(), ())

    def test_it_wakes_every_channel_behind_a_great_backlog(self):
        self.make_deliveries(-1, -1, 5)

        with mock.patch.object(outbox, "LOOKED_AT", 2):
            woken = self.watch()

        self.assertEqual(set(woken), {job.name for job in jobs.delivery_jobs()})
        self.assertEqual(Delivery.objects.count(), 3)
