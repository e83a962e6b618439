import datetime as dt
import zoneinfo

from django.test import SimpleTestCase

from notifications.rules import Way, quiet_until, ways_of

NIGHT = {"from": "22:00", "to": "07:00"}


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


class WaysTests(SimpleTestCase):
    def test_it_orders_steps_and_falls_back_after_them(self):
        for steps, verified, expected in (
            ([], [], []),
            ([], [1, 2], [Way(1, 0), Way(2, 0)]),
            ([(3, 0)], [1, 2], [Way(1, 0), Way(2, 0)]),  # the rule's method is gone
            ([(2, 5), (1, 0)], [1, 2], [Way(1, 0), Way(2, 5)]),
            ([(1, 0)], [1, 2, 3], [Way(1, 0), Way(2, 2, True), Way(3, 2, True)]),
            ([(1, 0), (1, 4)], [1, 2], [Way(1, 0), Way(1, 4, repeat=1), Way(2, 6, True)]),
        ):
            listed = [{"method": method, "delay_minutes": minutes} for method, minutes in steps]
            with self.subTest(steps=steps, verified=verified):
                self.assertEqual(ways_of(listed, verified), expected)


class QuietTests(SimpleTestCase):
    def test_it_says_when_quiet_hours_end(self):
        for zone, at, expected in (
            ("UTC", "2026-03-02T21:59", None),
            ("UTC", "2026-03-02T22:00", "2026-03-03T07:00"),
            ("UTC", "2026-03-03T06:59", "2026-03-03T07:00"),
            ("UTC", "2026-03-03T07:00", None),
            ("Europe/Zurich", "2026-03-02T21:00", "2026-03-03T06:00"),
            ("Europe/Zurich", "2026-03-28T23:00", "2026-03-29T05:00"),  # one hour less that night
            ("Europe/Zurich", "2026-10-25T05:30", "2026-10-25T06:00"),  # one more
            ("Mars/Olympus", "2026-03-02T22:00", "2026-03-03T07:00"),
        ):
            with self.subTest(zone=zone, at=at):
                self.assertEqual(quiet_until(NIGHT, zone, utc(at)), utc(expected) if expected else None)

    def test_it_knows_weekdays_by_the_day_on_which_the_hours_begin(self):
        friday_night = {**NIGHT, "weekdays": [4]}
        for at, is_quiet in (
            ("2026-03-06T23:00", True),
            ("2026-03-07T03:00", True),
            ("2026-03-07T23:00", False),
            ("2026-03-06T03:00", False),
        ):
            with self.subTest(at=at):
                self.assertEqual(quiet_until(friday_night, "UTC", utc(at)) is not None, is_quiet)

    def test_it_takes_hours_within_a_day_and_none(self):
        noon = {"from": "12:00", "to": "13:00"}

        self.assertEqual(quiet_until(noon, "UTC", utc("2026-03-02T12:30")), utc("2026-03-02T13:00"))
        for hours in ({}, {"from": "x", "to": "y"}, {"from": "07:00", "to": "07:00"}):
            self.assertIsNone(quiet_until(hours, "UTC", utc("2026-03-02T12:30")))

    def test_it_is_always_quiet_at_some_time_of_each_day_in_every_zone(self):
        for name in ("Pacific/Apia", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"):
            midnight = dt.datetime(2026, 7, 1, 23, 30, tzinfo=zoneinfo.ZoneInfo(name))
            with self.subTest(zone=name):
                self.assertIsNotNone(quiet_until(NIGHT, name, midnight.astimezone(dt.UTC)))
