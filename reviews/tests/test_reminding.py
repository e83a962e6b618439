import datetime as dt
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from reviews.reminding import latest_monday, morning_of, next_of_item, next_of_review
from reviews.tests.factories import day

ZURICH, TOKYO = ZoneInfo("Europe/Zurich"), ZoneInfo("Asia/Tokyo")


class ReviewTests(SimpleTestCase):
    def test_it_reminds_two_days_ahead_when_due_and_every_three_days(self) -> None:
        due = day(10)
        table = {
            day(1): day(8),
            day(8): day(10),
            day(9): day(10),
            day(10): day(13),
            day(12): day(13),
            day(13): day(16),
            day(30): day(31),
        }

        for after, expected in table.items():
            with self.subTest(after=after):
                self.assertEqual(next_of_review(due, after), expected)


class ItemTests(SimpleTestCase):
    def test_it_reminds_at_nine_two_days_ahead_on_the_day_and_weekly(self) -> None:
        due = dt.date(2026, 3, 10)
        table = {
            day(1): day(8, 8),
            day(8, 7): day(8, 8),
            day(8, 8): day(10, 8),
            day(10, 8): day(17, 8),
            day(16): day(17, 8),
            day(17, 9): day(24, 8),
            day(30): day(31, 7),  # summer time
        }

        for after, expected in table.items():
            with self.subTest(after=after):
                self.assertEqual(next_of_item(due, ZURICH, after), expected)

    def test_it_goes_by_the_owners_clock(self) -> None:
        self.assertEqual(morning_of(dt.date(2026, 3, 10), TOKYO), day(10, 0))

    def test_it_finds_the_next_of_one_long_overdue(self) -> None:
        after = day(10, 8) + dt.timedelta(days=365)

        found = next_of_item(dt.date(2026, 3, 10), ZURICH, after)

        self.assertTrue(after < found <= after + dt.timedelta(days=7, hours=1))


class MondayTests(SimpleTestCase):
    def test_it_finds_the_last_monday_morning(self) -> None:
        utc = ZoneInfo("UTC")

        self.assertEqual(latest_monday(day(2, 9), utc), day(2, 9))
        self.assertEqual(latest_monday(day(2, 8), utc), day(2, 9) - dt.timedelta(days=7))
        self.assertEqual(latest_monday(day(8, 23), utc), day(2, 9))
