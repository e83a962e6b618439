"""When `restore` takes a database for one that a server still uses."""

import datetime as dt

from django.test import TestCase
from django.utils import timezone

from core.models import JobRun
from incident_response.backups import databases


class InUseTests(TestCase):
    def setUp(self) -> None:
        self.waited: list[float] = []

    def record_run(self, seconds_ago: float) -> None:
        at = timezone.now() - dt.timedelta(seconds=seconds_ago)
        JobRun.objects.update_or_create(name="process_intake", defaults={"started_at": at})

    def test_it_does_not_wait_where_nobody_was_seen_lately(self) -> None:
        self.record_run(21)

        self.assertFalse(databases.is_in_use(self.waited.append))
        self.assertEqual(self.waited, [])

    def test_it_waits_and_goes_on_after_a_server_that_was_just_stopped(self) -> None:
        self.record_run(5)

        self.assertFalse(databases.is_in_use(self.waited.append))
        self.assertAlmostEqual(self.waited[0], 15, delta=2)

    def test_it_hears_of_a_server_that_runs(self) -> None:
        self.record_run(5)

        self.assertTrue(databases.is_in_use(lambda _seconds: self.record_run(0)))
