import datetime as dt
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from reviews.rendering.document import both_times


class TimesTests(SimpleTestCase):
    def test_it_says_both_clocks(self) -> None:
        at = dt.datetime(2026, 3, 2, 23, 30, tzinfo=dt.UTC)

        self.assertEqual(both_times(at, ZoneInfo("UTC")), "2026-03-02 23:30 UTC")
        self.assertEqual(both_times(at, ZoneInfo("Europe/Zurich")), "2026-03-03 00:30 CET (2026-03-02 23:30 UTC)")
        self.assertEqual(both_times(at, ZoneInfo("America/New_York")), "2026-03-02 18:30 EST (23:30 UTC)")
