"""What time does to alerts, beyond what docs/alerts.md says of it."""

import datetime as dt

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.services.upkeep import lift_silences
from alerts.tests.factories import fire, make_silence, make_source


class LiftTests(TestCase):
    def test_it_keeps_nobody_from_writing_while_it_looks(self) -> None:
        now = timezone.now()
        make_silence(("host", "=", "db-3"), starts_at=now - dt.timedelta(hours=1), ends_at=now + dt.timedelta(hours=1))
        quiet = fire(make_source(), labels={"host": "db-3"}, at=now)

        with CaptureQueriesContext(connection) as queries:
            lifted = lift_silences(now)

        self.assertIsNotNone(quiet.silenced_by)
        self.assertEqual(lifted, 0)
        self.assertEqual([query["sql"] for query in queries if not query["sql"].startswith("SELECT")], [])
