"""When the jobs do their work."""

import time
from unittest import mock

from django.test import TestCase

from alerts import jobs
from alerts.models import Alert
from alerts.tests.documented import after, documented
from alerts.tests.factories import fire, make_source


class ExpiryTests(TestCase):
    @documented(29)
    def test_it_hears_senders_first_after_a_start(self) -> None:
        fire(make_source(), starts_at=after(0), ends_at=after(5), at=after(0))

        found = []
        for age in (0.0, jobs.SETTLING_SECONDS - 1, jobs.SETTLING_SECONDS):
            with mock.patch.object(jobs, "_started", time.monotonic() - age):
                found.append(jobs.expire_alerts(after(10)))

        self.assertEqual(found, [0, 0, Alert.objects.count()])
