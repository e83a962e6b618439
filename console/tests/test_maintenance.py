import datetime as dt
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from alerts.routing import SilenceSpec
from console import maintenance

UTC = dt.UTC
ZURICH = ZoneInfo("Europe/Zurich")


def at(day: int, hour: int = 0, minute: int = 0, month: int = 3) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=UTC)


def spec(pk: int, since: dt.datetime, until: dt.datetime, **fields: object) -> SilenceSpec:
    return SilenceSpec(pk, (), since, until, **fields)  # type: ignore[arg-type]


class SpanTests(SimpleTestCase):
    def test_it_finds_the_times_that_is_active_says(self):
        table = [
            spec(1, at(1), at(31), weekdays=frozenset({0, 4}), starts_time=dt.time(22), ends_time=dt.time(4)),
            spec(2, at(1), at(31), weekdays=frozenset({1}), starts_time=dt.time(9, 30), ends_time=dt.time(17)),
            spec(3, at(3, 5), at(20, 7), weekdays=frozenset({2, 3})),
            spec(4, at(5, 12), at(9, 1, 30)),
            spec(5, at(1), at(31), weekdays=frozenset({6}), ends_time=dt.time(4), time_zone="Europe/Zurich"),
        ]
        for one in table:
            spans = list(one.spans(at(2), at(27)))
            for quarter in range(25 * 96):
                moment = at(2) + dt.timedelta(minutes=15 * quarter)
                expected = any(start <= moment < end for start, end in spans)
                self.assertEqual(one.is_active(moment), expected, (one.id, moment))

    def test_it_keeps_the_wall_clock_when_the_clocks_change(self):
        weekly = spec(
            1,
            at(20),
            at(5, month=4),
            weekdays=frozenset(range(7)),
            starts_time=dt.time(9),
            ends_time=dt.time(10),
            time_zone="Europe/Zurich",
        )

        starts = [start.astimezone(ZURICH).hour for start, _end in weekly.spans(at(20), at(5, month=4))]

        self.assertEqual(set(starts), {9})


class LayoutTests(SimpleTestCase):
    def test_it_draws_a_week_by_the_hour(self):
        days = maintenance.week_of(dt.date(2026, 3, 4))
        specs = [spec(1, at(3, 22), at(4, 2)), spec(2, at(3, 23), at(4, 1))]

        bars = maintenance.week_bars(maintenance.spans_of(specs, days, UTC), days)

        self.assertEqual(days[0], dt.date(2026, 3, 2))
        self.assertEqual([(bar.span.silence, bar.x) for bar in bars], [(1, 140), (2, 210), (1, 280), (2, 350)])
        self.assertEqual(bars[0].y, maintenance.HEAD + 22 * maintenance.HOUR)

    def test_it_draws_a_month_in_lanes(self):
        days = maintenance.month_of(dt.date(2026, 3, 15))
        specs = [spec(number, at(3), at(12)) for number in range(8)]

        weeks = maintenance.month_weeks(maintenance.spans_of(specs, days, UTC), days)

        self.assertEqual((days[0], days[-1]), (dt.date(2026, 2, 23), dt.date(2026, 4, 5)))
        self.assertEqual([(len(week.bars), week.hidden) for week in weeks], [(0, 0), (6, 2), (6, 2), *[(0, 0)] * 3])
        for week in weeks:
            for bar in week.bars:
                self.assertTrue(bar.x >= 0 and bar.x + bar.width <= 7 * maintenance.COLUMN)
                self.assertLessEqual(bar.y + bar.height, week.y + week.height)

    def test_it_bounds_what_is_drawn(self):
        days = maintenance.month_of(dt.date(2026, 3, 15))
        specs = [spec(number, at(1), at(31), weekdays=frozenset(range(7))) for number in range(100)]

        self.assertEqual(len(maintenance.spans_of(specs, days, UTC)), maintenance.MOST_SPANS)
