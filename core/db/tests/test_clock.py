import datetime as dt
from unittest import mock

from django.db import connection
from django.test import TestCase
from django.utils import timezone

from core.db import clock
from core.db.clock import database_now


class DatabaseNowTests(TestCase):
    def setUp(self):
        self.enterContext(mock.patch.object(clock, "_read", None))

    def test_it_returns_the_time_in_utc_with_microseconds(self):
        found = [database_now() for _ in range(3)]

        self.assertEqual({moment.utcoffset() for moment in found}, {dt.timedelta(0)})
        self.assertTrue(any(moment.microsecond % 1000 for moment in found))
        self.assertLess(abs(found[0] - timezone.now()), dt.timedelta(seconds=5))
        self.assertEqual(found, sorted(found))

    def test_it_asks_the_database_and_not_this_machine(self):
        if connection.vendor != "mysql":
            self.skipTest("SQLite's clock is the process's")
        with connection.cursor() as cursor:
            cursor.execute("SET timestamp = 1500000000.25")
            self.addCleanup(lambda: connection.cursor().execute("SET timestamp = DEFAULT"))

        found = database_now()

        self.assertEqual(found.replace(microsecond=0), dt.datetime(2017, 7, 14, 2, 40, tzinfo=dt.UTC))

    def test_it_asks_now_and_then_only(self):
        if connection.vendor != "mysql":
            self.skipTest("SQLite is not asked")
        database_now()

        with self.assertNumQueries(0):
            database_now()
        with mock.patch.object(clock, "TRUSTED_SECONDS", 0), self.assertNumQueries(1):
            database_now()
