import datetime as dt
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from console.oncall.drawing import WIDTH, Line, draw
from responders.oncall import Gap, Shift
from responders.tests.schedules import at

ZURICH = ZoneInfo("Europe/Zurich")


class DrawingTests(SimpleTestCase):
    def test_it_draws_days_as_long_as_they_are(self) -> None:
        for first, hours in (("2026-03-23", 167), ("2026-10-19", 169), ("2026-06-01", 168)):
            with self.subTest(first):
                picture = draw(dt.date.fromisoformat(first), 7, ZURICH, [], {}, at("2026-01-01T00:00"))

                self.assertEqual((picture.ends_at - picture.starts_at) / dt.timedelta(hours=1), hours)
                self.assertEqual(len(picture.days), 7)
                self.assertAlmostEqual(sum(day.width for day in picture.days), WIDTH, delta=1)
        sunday = draw(dt.date(2026, 3, 23), 7, ZURICH, [], {}, at("2026-01-01T00:00")).days[-1]
        self.assertAlmostEqual(sunday.width, WIDTH * 23 / 167, delta=0.2)

    def test_it_puts_people_on_call_together_below_each_other(self) -> None:
        start, end = at("2026-06-01T10:00"), at("2026-06-02T10:00")
        shifts = [
            Shift(1, "A", None, start, end),
            Shift(2, "A", 7, start, end),
            Shift(1, "A", None, end, end + (end - start)),
        ]
        gap = Gap(at("2026-06-04T00:00"), at("2026-06-05T00:00"))

        (row,) = draw(
            dt.date(2026, 6, 1), 7, ZURICH, [Line("On call", shifts, [gap])], {1: "Ana", 2: "Ben"}, start
        ).rows

        first, second, third, hatched = row.bars
        self.assertLess(first.y, second.y)
        self.assertEqual(first.y, third.y)
        self.assertEqual((second.name, second.override, hatched.user_id), ("Ben", 7, None))
        self.assertLessEqual(first.x + first.width, third.x)

    def test_it_clips_at_its_ends_and_shows_what_fits_of_a_name(self) -> None:
        long = Shift(1, "A", None, at("2026-05-01T00:00"), at("2026-07-01T00:00"))
        short = Shift(2, "A", None, at("2026-06-03T00:00"), at("2026-06-03T00:30"))
        before = Shift(3, "A", None, at("2026-05-01T00:00"), at("2026-05-02T00:00"))
        names = {1: "Ana", 2: "Bartholomew", 3: "Cy"}

        (row,) = draw(dt.date(2026, 6, 1), 7, ZURICH, [Line("", [long, short, before])], names, long.starts_at).rows

        self.assertEqual([(bar.user_id, bar.text) for bar in row.bars], [(1, "Ana"), (2, "")])
        self.assertEqual((row.bars[0].x, row.bars[0].starts_at), (0, long.starts_at))
        self.assertGreaterEqual(row.bars[1].width, 2)
