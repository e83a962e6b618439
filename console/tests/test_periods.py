"""Days in the viewer's zone, and how they are cut into days, weeks and months."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from console.reporting.periods import Unusable, period_of

UTC = ZoneInfo("UTC")
NOW = dt.datetime(2026, 3, 30, 22, 30, tzinfo=dt.UTC)


class PeriodTests(SimpleTestCase):
    def test_today_is_the_viewers(self) -> None:
        for zone, last in (("UTC", "2026-03-30"), ("Europe/Zurich", "2026-03-31"), ("America/Lima", "2026-03-30")):
            with self.subTest(zone):
                self.assertEqual(period_of({"days": "7"}, ZoneInfo(zone), NOW).last.isoformat(), last)

    def test_days_begin_at_the_viewers_midnight_also_when_clocks_change(self) -> None:
        period = period_of({"from": "2026-03-28", "to": "2026-03-30"}, ZoneInfo("Europe/Zurich"), NOW)

        begins = ["2026-03-27T23:00", "2026-03-28T23:00", "2026-03-29T22:00", "2026-03-30T22:00"]
        self.assertEqual([edge.strftime("%Y-%m-%dT%H:%M") for edge in period.edges], begins)

    def test_half_hours_are_exact(self) -> None:
        period = period_of({"from": "2026-03-28", "to": "2026-03-28"}, ZoneInfo("Asia/Kathmandu"), NOW)

        self.assertEqual(period.start, dt.datetime(2026, 3, 27, 18, 15, tzinfo=dt.UTC))

    def test_longer_ones_are_cut_into_weeks_and_months(self) -> None:
        for query, unit, count in (
            ({"days": "30"}, "day", 30),
            ({"days": "90"}, "week", 14),
            ({"from": "2025-04-01", "to": "2026-03-30"}, "month", 12),
        ):
            with self.subTest(unit):
                period = period_of(query, UTC, NOW)

                self.assertEqual((period.unit, len(period.stretches)), (unit, count))
                self.assertEqual((period.edges[0], period.edges[-1]), (period.start, period.end))
                self.assertEqual(period.edges, sorted(set(period.edges)))
        self.assertTrue(all(one.start.weekday() == 0 for one in period_of({"days": "90"}, UTC, NOW).stretches[1:]))

    def test_a_form_keeps_its_preset_unless_days_are_changed(self) -> None:
        shown = {"days": "7", "from": "2026-03-24", "to": "2026-03-30"}

        self.assertEqual(period_of(shown, UTC, NOW).query, {"days": "7"})
        changed = {**shown, "from": "2026-03-25"}
        self.assertEqual(period_of(changed, UTC, NOW).query, {"from": "2026-03-25", "to": "2026-03-30"})
        self.assertEqual(period_of({"days": "nonsense"}, UTC, NOW).query, {})

    def test_it_refuses_what_cannot_be_shown(self) -> None:
        for query in (
            {"from": "2026-04-01", "to": "2026-03-30"},
            {"from": "2024-01-01", "to": "2026-03-30"},
            {"from": "0001-01-01", "to": "0001-01-02"},
            {"to": "30.03.2026"},
        ):
            with self.subTest(query), self.assertRaises(Unusable):
                period_of(query, UTC, NOW)
