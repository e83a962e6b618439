"""When the jobs do their work."""

import time
from collections.abc import Callable
from unittest import mock

from django.test import TestCase

from alerts import jobs
from alerts.models import Alert
from alerts.tests.documented import after, documented
from alerts.tests.factories import fire, make_source


class SettlingTests(TestCase):
    @documented(29)
    def test_it_hears_senders_first_after_a_start(self) -> None:
        fire(make_source(), starts_at=after(0), ends_at=after(5), at=after(0))

        found = soon_after_the_start(lambda: jobs.expire_alerts(after(10)))

        self.assertEqual(found, [0, 0, Alert.objects.count()])

    @documented(48)
    def test_it_waits_for_signs_of_life_after_a_start(self) -> None:
        make_source(heartbeat_minutes=5, last_received_at=after(0), created_at=after(0))

        found = soon_after_the_start(lambda: jobs.watch_heartbeats(after(10)))

        self.assertEqual(found, [0, 0, 1])


def soon_after_the_start(job: Callable[[], int]) -> list[int]:
    """What the job does at the worker's start, before it has settled, and then."""
    found = []
    for age in (0.0, jobs.SETTLING_SECONDS - 1, jobs.SETTLING_SECONDS):
        with mock.patch.object(jobs, "_started", time.monotonic() - age):
            found.append(job())
    return found
