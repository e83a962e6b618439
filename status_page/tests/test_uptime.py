import datetime as dt
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from status_page.rendering.snapshot import Span
from status_page.rendering.uptime import DAYS, timeline, uptime_of
from status_page.tests.snapshots import NOW, ago, component
from status_page.vocabulary import Impact

ZURICH = ZoneInfo("Europe/Zurich")
DAY = 86_400


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


class UptimeTests(SimpleTestCase):
    def test_it_is_whole_without_faults(self):
        uptime = uptime_of(component(), ZURICH, NOW)

        self.assertEqual((len(uptime.days), uptime.percent), (DAYS, 100.0))
        self.assertEqual({day.impact for day in uptime.days}, {Impact.OPERATIONAL})
        self.assertEqual(uptime.days[-1].date, dt.date(2026, 11, 30))

    def test_it_weighs_by_impact(self):
        born = ago(days=10)
        for impact, weight in (
            (Impact.MAJOR_OUTAGE, 1),
            (Impact.PARTIAL_OUTAGE, 0.3),
            (Impact.DEGRADED, 0),
            (Impact.MAINTENANCE, 0),
        ):
            with self.subTest(impact):
                found = uptime_of(component(1, Span(impact, ago(days=2), ago(days=1)), created_at=born), ZURICH, NOW)

                self.assertAlmostEqual(found.percent, 100 * (1 - weight / 10))

    def test_it_counts_overlaps_once_and_by_the_worst(self):
        spans = (
            Span(Impact.PARTIAL_OUTAGE, ago(hours=10), ago(hours=4)),
            Span(Impact.MAJOR_OUTAGE, ago(hours=8), ago(hours=6)),
            Span(Impact.MAJOR_OUTAGE, ago(hours=7), ago(hours=5)),
        )

        pieces = timeline(spans, ago(days=1), NOW)

        hours = [(piece.impact, (piece.ended_at - piece.began_at).total_seconds() / 3600) for piece in pieces]
        self.assertEqual(sum(length for impact, length in hours if impact == Impact.MAJOR_OUTAGE), 3)
        self.assertEqual(sum(length for impact, length in hours if impact == Impact.PARTIAL_OUTAGE), 3)

    def test_it_has_no_data_of_days_before_the_component(self):
        found = uptime_of(component(created_at=ago(days=3)), ZURICH, NOW)

        self.assertEqual([day.impact is None for day in found.days], [True] * (DAYS - 4) + [False] * 4)

    def test_it_says_nothing_of_what_has_just_begun(self):
        self.assertIsNone(uptime_of(component(created_at=NOW), ZURICH, NOW).percent)

    def test_it_marks_both_days_of_a_night(self):
        span = Span(Impact.MAJOR_OUTAGE, at("2026-11-20T22:30:00+00:00"), at("2026-11-20T23:30:00+00:00"))

        found = uptime_of(component(1, span), ZURICH, NOW)

        self.assertEqual([day.date.day for day in found.days if day.impact == Impact.MAJOR_OUTAGE], [20, 21])

    def test_it_has_days_of_the_pages_zone_when_clocks_change(self):
        # Sunday 25 October 2026 has 25 hours in Zurich: its last hour is of that day, not of the next.
        span = Span(Impact.MAJOR_OUTAGE, at("2026-10-25T22:10:00+00:00"), at("2026-10-25T22:50:00+00:00"))

        found = uptime_of(component(1, span), ZURICH, NOW)

        self.assertEqual(
            [day.date.isoformat() for day in found.days if day.impact != Impact.OPERATIONAL], ["2026-10-25"]
        )

    def test_it_counts_what_goes_on_until_now(self):
        found = uptime_of(component(1, Span(Impact.MAJOR_OUTAGE, ago(days=9)), created_at=ago(days=18)), ZURICH, NOW)

        self.assertAlmostEqual(found.percent, 50.0)

    def test_it_cuts_what_began_earlier(self):
        found = uptime_of(component(1, Span(Impact.MAJOR_OUTAGE, ago(days=400), ago(days=200))), ZURICH, NOW)

        self.assertEqual(found.percent, 100.0)
