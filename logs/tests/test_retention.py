"""How long lines are kept."""

import datetime as dt
from unittest import mock

from django.db.models import Max
from django.test import TestCase, override_settings
from django.utils import timezone

from logs import jobs
from logs.lines import Line
from logs.models import LogEntry
from logs.services import retention
from logs.tests.factories import make_lines

DAY = dt.timedelta(days=1)


class RetentionTests(TestCase):
    @override_settings(LOG_RETENTION_DAYS=3)
    def test_it_deletes_what_was_received_too_long_ago(self) -> None:
        now = timezone.now()
        make_lines(*[Line("old", now)] * 5, at=now - 4 * DAY)
        make_lines(*[Line("young", now - 90 * DAY)] * 5, at=now - 2 * DAY)

        with mock.patch.object(retention, "BATCH", 2):
            done = jobs.prune_logs(now)

        self.assertEqual(done, 5)
        self.assertEqual(set(LogEntry.objects.values_list("message", flat=True)), {"young"})

    @override_settings(LOG_RETENTION_MB=1)
    def test_it_makes_room_by_deleting_the_oldest(self) -> None:
        make_lines(*[Line("x" * 20_000)] * 100)
        newest = LogEntry.objects.aggregate(Max("id"))["id__max"]

        with mock.patch.object(retention, "BATCH", 10):
            jobs.prune_logs(timezone.now())

        left = LogEntry.objects.count()
        self.assertTrue(45 <= left <= 52, left)
        self.assertTrue(LogEntry.objects.filter(pk=newest).exists())

    def test_it_estimates_from_a_sample(self) -> None:
        make_lines(*[Line("ü" * 100, service="web", attributes={"n": 1})] * 1000)
        LogEntry.objects.filter(pk__gt=LogEntry.objects.order_by("id")[749].pk).exclude(
            pk=LogEntry.objects.order_by("-id")[0].pk
        ).delete()

        with self.assertNumQueries(3):
            count, mean = retention.estimate()

        self.assertTrue(700 <= count <= 800, count)
        self.assertEqual(mean, 350 + 200 + 7 + 9)

    def test_it_does_nothing_where_nothing_is(self) -> None:
        self.assertEqual(retention.surplus(), 0)
        self.assertEqual(jobs.prune_logs(timezone.now()), 0)
