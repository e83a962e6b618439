import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents import sla

EVERY_DAY = [0, 1, 2, 3, 4, 5, 6]
MONDAY_TO_FRIDAY = [0, 1, 2, 3, 4]


def calendar(zone: str = "UTC", opens: str = "09:00", closes: str = "17:00", **fields: Any) -> dict[str, Any]:
    return {
        "time_zone": zone,
        "weekdays": fields.get("weekdays", MONDAY_TO_FRIDAY),
        "opens_at": opens,
        "closes_at": closes,
        "holidays": fields.get("holidays", []),
    }


def at(text: str, zone: str = "UTC") -> dt.datetime:
    """A local time; a `*` at the end means the second of two (after the clocks went back)."""
    local = dt.datetime.fromisoformat(text.rstrip("*"))
    return local.replace(tzinfo=ZoneInfo(zone), fold=int(text.endswith("*")))


def hold(start: str, end: str, zone: str = "UTC") -> sla.Interval:
    return at(start, zone), at(end, zone)


# 2026-03-02 is a Monday. Clocks change in Zurich on 2026-03-29 and 10-25, in New York on 2026-03-08 and 11-01.
ZURICH = "Europe/Zurich"
NIGHTS = {"opens": "21:00", "closes": "02:00", "weekdays": [4]}
WHOLE = {"opens": "00:00", "closes": "24:00", "weekdays": EVERY_DAY}
CASES: dict[str, tuple[dict[str, Any] | None, str, str, int, str]] = {
    # name: (calendar, zone that start and due are written in, start, minutes, due)
    "until midnight": (calendar(closes="24:00"), "UTC", "2026-03-02T23:30", 60, "2026-03-03T09:30"),
    "until midnight, as stored before": (calendar(closes="00:00"), "UTC", "2026-03-02T23:30", 60, "2026-03-03T09:30"),
    "the last minute": (calendar(closes="24:00"), "UTC", "2026-03-02T23:59", 1, "2026-03-03T00:00"),
    "whole days": (calendar(**WHOLE), "UTC", "2026-03-02T23:59", 2880, "2026-03-04T23:59"),
    "whole days over spring": (calendar(ZURICH, **WHOLE), ZURICH, "2026-03-28T12:00", 1440, "2026-03-29T13:00"),
    "whole days over autumn": (calendar(ZURICH, **WHOLE), ZURICH, "2026-10-24T12:00", 1440, "2026-10-25T11:00"),
    "whole days where midnight is skipped": (
        calendar("Africa/Cairo", **WHOLE), "UTC", "2026-04-23T20:00", 240, "2026-04-24T00:00",
    ),
    "whole working days": (calendar(opens="00:00", closes="24:00"), "UTC", "2026-03-06T23:00", 120, "2026-03-09T01:00"),
    "a night": (calendar(**NIGHTS), "UTC", "2026-03-06T23:30", 60, "2026-03-07T00:30"),
    "the morning of a night": (calendar(**NIGHTS), "UTC", "2026-03-07T01:00", 60, "2026-03-07T02:00"),
    "the evening before its end": (calendar(**NIGHTS), "UTC", "2026-03-07T01:30", 60, "2026-03-13T21:30"),
    "the morning after no night": (calendar(**NIGHTS), "UTC", "2026-03-06T01:00", 60, "2026-03-06T22:00"),
    "a night that begins on no holiday": (
        calendar(**NIGHTS, holidays=["2026-03-06"]), "UTC", "2026-03-06T22:00", 60, "2026-03-13T22:00",
    ),
    "a night into a holiday": (
        calendar(**NIGHTS, holidays=["2026-03-07"]), "UTC", "2026-03-06T22:00", 180, "2026-03-07T01:00",
    ),
    "a night in spring": (
        calendar(ZURICH, "21:00", "05:00", weekdays=[5]), ZURICH, "2026-03-28T21:00", 7 * 60, "2026-03-29T05:00",
    ),
    "a night in autumn": (
        calendar(ZURICH, "21:00", "05:00", weekdays=[5]), ZURICH, "2026-10-24T21:00", 9 * 60, "2026-10-25T05:00",
    ),
    "round the clock": (None, "UTC", "2026-03-06T23:50", 30, "2026-03-07T00:20"),
    "round the clock over spring": (None, "Europe/Zurich", "2026-03-29T01:30", 60, "2026-03-29T03:30"),
    "round the clock over autumn": (None, "Europe/Zurich", "2026-10-25T01:30", 120, "2026-10-25T02:30*"),
    "within a day": (calendar(), "UTC", "2026-03-02T10:00", 60, "2026-03-02T11:00"),
    "to the minute of closing": (calendar(), "UTC", "2026-03-02T16:00", 60, "2026-03-02T17:00"),
    "one minute past closing": (calendar(), "UTC", "2026-03-02T16:00", 61, "2026-03-03T09:01"),
    "at closing": (calendar(), "UTC", "2026-03-02T17:00", 1, "2026-03-03T09:01"),
    "before opening": (calendar(), "UTC", "2026-03-02T03:00", 30, "2026-03-02T09:30"),
    "after closing": (calendar(), "UTC", "2026-03-02T22:00", 30, "2026-03-03T09:30"),
    "over a weekend": (calendar(), "UTC", "2026-03-06T16:30", 60, "2026-03-09T09:30"),
    "opened on a Saturday": (calendar(), "UTC", "2026-03-07T12:00", 480, "2026-03-09T17:00"),
    "two working weeks": (calendar(), "UTC", "2026-03-02T09:00", 10 * 480, "2026-03-13T17:00"),
    "over a holiday": (calendar(holidays=["2026-03-03"]), "UTC", "2026-03-02T16:30", 60, "2026-03-04T09:30"),
    "opened on a holiday": (calendar(holidays=["2026-03-02"]), "UTC", "2026-03-02T10:00", 60, "2026-03-03T10:00"),
    "holiday next to a weekend": (
        calendar(holidays=["2026-03-06", "2026-03-09"]), "UTC", "2026-03-05T16:30", 60, "2026-03-10T09:30",
    ),
    "one working day a week": (calendar(weekdays=[2]), "UTC", "2026-03-04T16:00", 120, "2026-03-11T10:00"),
    "no minutes, while open": (calendar(), "UTC", "2026-03-02T10:00", 0, "2026-03-02T10:00"),
    "the day is the calendar's, not UTC's": (
        calendar("Pacific/Auckland"), "Pacific/Auckland", "2026-03-07T10:00", 60, "2026-03-09T10:00",
    ),
    "half-hour zone": (calendar("Asia/Kolkata"), "Asia/Kolkata", "2026-03-02T16:45", 30, "2026-03-03T09:15"),
    "three-quarter-hour zone": (calendar("Asia/Kathmandu"), "UTC", "2026-03-02T03:00", 30, "2026-03-02T03:45"),
    "half-hour change of clocks": (
        calendar("Australia/Lord_Howe", "01:00", "04:00", weekdays=EVERY_DAY),
        "Australia/Lord_Howe", "2026-10-04T01:00", 150, "2026-10-04T04:00",
    ),
    "spring, day shift is not shorter": (
        calendar("Europe/Zurich", weekdays=EVERY_DAY), "Europe/Zurich", "2026-03-28T16:00", 120, "2026-03-29T10:00",
    ),
    "spring, shift over the change has an hour less": (
        calendar("Europe/Zurich", "00:00", "06:00", weekdays=EVERY_DAY),
        "Europe/Zurich", "2026-03-29T00:00", 5 * 60, "2026-03-29T06:00",
    ),
    "spring, a sixth hour is the next night's": (
        calendar("Europe/Zurich", "00:00", "06:00", weekdays=EVERY_DAY),
        "Europe/Zurich", "2026-03-29T00:00", 6 * 60, "2026-03-30T01:00",
    ),
    "autumn, shift over the change has an hour more": (
        calendar("Europe/Zurich", "00:00", "06:00", weekdays=EVERY_DAY),
        "Europe/Zurich", "2026-10-25T00:00", 7 * 60, "2026-10-25T06:00",
    ),
    "autumn, the first of two half past two": (
        calendar("Europe/Zurich", "00:00", "06:00", weekdays=EVERY_DAY),
        "Europe/Zurich", "2026-10-25T02:00", 30, "2026-10-25T02:30",
    ),
    "autumn, the second of two half past two": (
        calendar("Europe/Zurich", "00:00", "06:00", weekdays=EVERY_DAY),
        "Europe/Zurich", "2026-10-25T02:00", 90, "2026-10-25T02:30*",
    ),
    "opening in the hour that spring skips": (
        calendar("Europe/Zurich", "02:30", "05:00", weekdays=EVERY_DAY),
        "Europe/Zurich", "2026-03-29T00:00", 30, "2026-03-29T04:00",
    ),
    "a day that lies in the skipped hour is no day": (
        calendar("Europe/Zurich", "02:00", "02:45", weekdays=EVERY_DAY),
        "Europe/Zurich", "2026-03-29T00:00", 45, "2026-03-29T03:45",
    ),
    "New York, spring weekend between": (
        calendar("America/New_York"), "America/New_York", "2026-03-06T16:30", 60, "2026-03-09T09:30",
    ),
    "New York, spring weekend, in UTC the opening moves": (
        calendar("America/New_York"), "UTC", "2026-03-06T21:30", 60, "2026-03-09T13:30",
    ),
    "New York, autumn night shift": (
        calendar("America/New_York", "00:00", "08:00", weekdays=EVERY_DAY),
        "America/New_York", "2026-11-01T00:00", 9 * 60, "2026-11-01T08:00",
    ),
}  # fmt: skip

HOLD_CASES: dict[str, tuple[dict[str, Any] | None, str, int, list[sla.Interval], str]] = {
    "round the clock, one": (
        None, "2026-03-02T10:00", 60, [hold("2026-03-02T10:30", "2026-03-02T12:00")], "2026-03-02T12:30",
    ),
    "round the clock, several": (
        None, "2026-03-02T10:00", 60,
        [hold("2026-03-02T10:10", "2026-03-02T10:20"), hold("2026-03-02T10:30", "2026-03-02T11:30")],
        "2026-03-02T12:10",
    ),
    "the second only counts because the first moved the due time": (
        None, "2026-03-02T10:00", 60,
        [hold("2026-03-02T10:50", "2026-03-02T11:20"), hold("2026-03-02T11:25", "2026-03-02T11:35")],
        "2026-03-02T11:40",
    ),
    "after the due time": (
        None, "2026-03-02T10:00", 60, [hold("2026-03-02T11:30", "2026-03-02T12:00")], "2026-03-02T11:00",
    ),
    "begun before the clock": (
        None, "2026-03-02T10:00", 60, [hold("2026-03-02T09:00", "2026-03-02T10:30")], "2026-03-02T11:30",
    ),
    "business hours, within a day": (
        calendar(), "2026-03-02T10:00", 60, [hold("2026-03-02T10:30", "2026-03-02T12:00")], "2026-03-02T12:30",
    ),
    "business hours, over the night": (
        calendar(), "2026-03-02T16:00", 120, [hold("2026-03-02T16:30", "2026-03-03T10:00")], "2026-03-03T11:30",
    ),
    "business hours, all of it outside": (
        calendar(), "2026-03-02T16:00", 120, [hold("2026-03-02T18:00", "2026-03-03T08:00")], "2026-03-03T10:00",
    ),
    "business hours, several days": (
        calendar(), "2026-03-02T16:00", 120, [hold("2026-03-02T16:30", "2026-03-05T12:00")], "2026-03-05T13:30",
    ),
    "business hours, two in a day and one at night": (
        calendar(), "2026-03-02T14:00", 240,
        [
            hold("2026-03-02T14:30", "2026-03-02T15:00"),
            hold("2026-03-02T15:30", "2026-03-02T16:00"),
            hold("2026-03-02T20:00", "2026-03-03T09:30"),
        ],
        "2026-03-03T11:30",
    ),
    "business hours, from opening": (
        calendar(), "2026-03-02T09:00", 60, [hold("2026-03-02T09:00", "2026-03-02T09:30")], "2026-03-02T10:30",
    ),
    "business hours, to closing": (
        calendar(), "2026-03-02T15:00", 90, [hold("2026-03-02T16:00", "2026-03-02T17:00")], "2026-03-03T09:30",
    ),
}  # fmt: skip


def counted_between(start: dt.datetime, end: dt.datetime, calendar: sla.Calendar) -> dt.timedelta:
    start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
    if calendar is None:
        return max(end - start, dt.timedelta())
    total = dt.timedelta()
    for opens, closes in sla.working_intervals(start, calendar):
        if opens >= end:
            break
        total += min(closes, end) - opens
    return total


class DueTests(SimpleTestCase):
    def test_it_counts_minutes(self) -> None:
        for name, (in_calendar, zone, start, minutes, due) in CASES.items():
            with self.subTest(name):
                self.assertEqual(sla.due_at(at(start, zone), minutes, in_calendar), at(due, zone).astimezone(dt.UTC))

    def test_it_leaves_holds_out(self) -> None:
        for name, (in_calendar, start, minutes, holds, due) in HOLD_CASES.items():
            with self.subTest(name):
                self.assertEqual(sla.due_at(at(start), minutes, in_calendar, holds), at(due))

    def test_it_has_no_due_time_without_a_target(self) -> None:
        self.assertIsNone(sla.due_at(at("2026-03-02T10:00"), None, calendar()))

    def test_it_says_when_a_calendar_never_opens(self) -> None:
        first = dt.date(2026, 3, 2)
        every_monday = [(first + dt.timedelta(weeks=week)).isoformat() for week in range(120)]
        cases = {
            "no weekday": calendar(weekdays=[]),
            "no hours": calendar(opens="09:00", closes="09:00"),
            "holidays on all": calendar(weekdays=[0], holidays=every_monday),
        }
        for name, in_calendar in cases.items():
            with self.subTest(name), self.assertRaises(sla.CalendarNeverOpens):
                sla.due_at(at("2026-03-02T10:00"), 60, in_calendar)

    def test_it_refuses_a_target_that_takes_a_century_of_working_time(self) -> None:
        an_hour_a_week = calendar(weekdays=[0], opens_at="09:00", closes_at="10:00")

        with self.assertRaises(sla.CalendarNeverOpens):
            sla.due_at(at("2026-03-02T10:00"), 10 * 366 * 24 * 60, an_hour_a_week)

    def test_it_bears_a_long_row_of_holidays(self) -> None:
        holidays = [(dt.date(2026, 3, 2) + dt.timedelta(days=day)).isoformat() for day in range(400)]

        due = sla.due_at(at("2026-03-02T10:00"), 60, calendar(weekdays=EVERY_DAY, holidays=holidays))

        self.assertEqual(due, at("2027-04-06T10:00"))


class CountedTests(SimpleTestCase):
    def test_it_counts_elapsed_time_where_the_clocks_change(self) -> None:
        start, end = at("2026-03-29T00:00", "Europe/Zurich"), at("2026-03-30T00:00", "Europe/Zurich")

        self.assertEqual(counted_between(start, end, None), dt.timedelta(hours=23))

    def test_it_counts_what_lies_within_business_hours(self) -> None:
        cases = [
            (None, "2026-03-02T10:00", "2026-03-03T10:00", 24 * 60),
            (None, "2026-03-03T10:00", "2026-03-02T10:00", 0),
            (calendar(), "2026-03-02T10:00", "2026-03-02T11:00", 60),
            (calendar(), "2026-03-02T03:00", "2026-03-02T08:00", 0),
            (calendar(), "2026-03-06T16:00", "2026-03-09T10:00", 120),
            (calendar(), "2026-03-09T10:00", "2026-03-06T16:00", 0),
            (calendar(weekdays=[]), "2026-03-02T10:00", "2026-03-20T10:00", 0),
            (calendar(holidays=["2026-03-03"]), "2026-03-02T09:00", "2026-03-04T17:00", 2 * 480),
        ]
        for in_calendar, start, end, minutes in cases:
            with self.subTest(start=start, end=end):
                counted = counted_between(at(start), at(end), in_calendar)

                self.assertEqual(counted, dt.timedelta(minutes=minutes))


ZONES = ["UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"]
STARTS = st.datetimes(
    min_value=dt.datetime(2026, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=dt.datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)
MINUTES = st.integers(min_value=0, max_value=3 * 24 * 60)


@st.composite
def calendars(draw: st.DrawFn) -> dict[str, Any]:
    opens = draw(st.integers(0, 22))
    closes = draw(st.integers(opens + 1, 23))
    return calendar(
        draw(st.sampled_from(ZONES)),
        f"{opens:02}:{draw(st.sampled_from(['00', '30']))}",
        f"{closes:02}:{draw(st.sampled_from(['31', '59']))}",
        weekdays=draw(st.lists(st.integers(0, 6), min_size=1, unique=True)),
        holidays=[
            day.isoformat() for day in draw(st.lists(st.dates(dt.date(2026, 1, 1), dt.date(2028, 1, 1)), max_size=4))
        ],
    )


@st.composite
def holds_after(draw: st.DrawFn, start: dt.datetime) -> list[sla.Interval]:
    gaps = draw(st.lists(st.integers(1, 2000), max_size=6).filter(lambda gaps: len(gaps) % 2 == 0))
    moments = [start]
    for gap in gaps:
        moments.append(moments[-1] + dt.timedelta(minutes=gap))
    return list(zip(moments[1::2], moments[2::2], strict=True))


class Properties(SimpleTestCase):
    @settings(max_examples=100, deadline=None)
    @given(STARTS, MINUTES, st.none() | calendars())
    def test_it_lets_exactly_the_minutes_pass(
        self, start: dt.datetime, minutes: int, in_calendar: dict[str, Any] | None
    ) -> None:
        due = sla.due_at(start, minutes, in_calendar)

        assert due is not None
        self.assertGreaterEqual(due, start)
        self.assertEqual(counted_between(start, due, in_calendar), dt.timedelta(minutes=minutes))

    @settings(max_examples=60, deadline=None)
    @given(STARTS, MINUTES, MINUTES, st.none() | calendars())
    def test_it_is_due_later_for_more_minutes_and_for_a_later_start(
        self, start: dt.datetime, minutes: int, more: int, in_calendar: dict[str, Any] | None
    ) -> None:
        due = sla.due_at(start, minutes, in_calendar)
        later_target = sla.due_at(start, minutes + more, in_calendar)
        later_start = sla.due_at(start + dt.timedelta(minutes=more), minutes, in_calendar)

        assert due is not None and later_target is not None and later_start is not None
        self.assertLessEqual(due, later_target)
        self.assertLessEqual(due, later_start)

    @settings(max_examples=60, deadline=None)
    @given(STARTS, MINUTES, st.none() | calendars(), st.data())
    def test_it_lets_the_minutes_pass_outside_the_holds(
        self, start: dt.datetime, minutes: int, in_calendar: dict[str, Any] | None, data: st.DataObject
    ) -> None:
        holds = data.draw(holds_after(start))

        due = sla.due_at(start, minutes, in_calendar, holds)

        assert due is not None
        self.assertGreaterEqual(due, start)
        held = sum((counted_between(a, min(b, due), in_calendar) for a, b in holds if a < due), dt.timedelta())
        self.assertEqual(counted_between(start, due, in_calendar) - held, dt.timedelta(minutes=minutes))


class NightTests(SimpleTestCase):
    def test_it_loses_no_minute_between_days(self) -> None:
        """Whole days of any zone are the time itself, whatever its clocks do at midnight."""
        for zone in ("UTC", "Europe/Zurich", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "Australia/Lord_Howe"):
            whole = calendar(zone, **WHOLE)
            for month in range(1, 13):
                start = dt.datetime(2026, month, 1, 12, 7, tzinfo=dt.UTC)
                with self.subTest(zone=zone, month=month):
                    end = start + dt.timedelta(days=40)

                    self.assertEqual(counted_between(start, end, whole), end - start)

    def test_it_counts_day_and_night_shifts_as_one(self) -> None:
        start, end = at("2026-03-02T00:00"), at("2026-03-30T00:00")
        day, night = (
            calendar(opens="06:00", closes="21:30", weekdays=EVERY_DAY),
            calendar(opens="21:30", closes="06:00", weekdays=EVERY_DAY),
        )

        counted = counted_between(start, end, day) + counted_between(start, end, night)

        self.assertEqual(counted, end - start)

    def test_it_writes_ends(self) -> None:
        self.assertEqual([sla.format_closing_time(dt.time(hour)) for hour in (0, 2, 17)], ["24:00", "02:00", "17:00"])
