import datetime as dt

from django.test import TestCase
from django.utils import timezone

from core.models import JobRun
from core.server.condition import Unhealthy
from status_page.models import StatusPage
from status_page.monitoring import LATE_SECONDS, check, collect
from status_page.services.page import the_page


class MonitoringTests(TestCase):
    def test_it_waits_for_the_first_writing(self):
        self.assertEqual(check(), "not written yet")

        the_page()
        self.assertEqual(check(), "not written yet")
        self.assertEqual([family.samples for family in collect()], [[]])

    def test_it_reports_a_first_writing_that_fails(self):
        the_page()
        JobRun.objects.create(name="write_status_page", started_at=timezone.now(), error="No space left on device")

        with self.assertRaisesRegex(Unhealthy, "No space left"):
            check()

    def test_it_reports_files_that_nobody_writes(self):
        the_page()
        StatusPage.objects.update(written_at=timezone.now())
        self.assertRegex(check(), r"written \d+ s ago")

        StatusPage.objects.update(written_at=timezone.now() - dt.timedelta(seconds=LATE_SECONDS + 60))

        with self.assertRaisesRegex(Unhealthy, "last written"):
            check()

    def test_it_measures_when_they_were_written(self):
        the_page()
        moment = timezone.now()
        StatusPage.objects.update(written_at=moment)

        [family] = collect()
        self.assertEqual(family.samples[0].value, moment.timestamp())
