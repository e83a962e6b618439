import datetime as dt
import random
import time

from django.test import SimpleTestCase

from responders.oncall import FeedShift, FeedSpec, ScheduleSpec, VersionSpec, people_at, shift_of
from responders.tests.schedules import at

MONDAY = at("2026-11-30T00:00")
HOUR = dt.timedelta(hours=1)


def shift(starts: float, ends: float, user: int) -> FeedShift:
    return FeedShift(MONDAY + starts * HOUR, MONDAY + ends * HOUR, (user,))


class FeedTests(SimpleTestCase):
    def test_it_has_the_people_of_all_events_that_hold(self) -> None:
        chosen = random.Random(7)
        starts = [chosen.randrange(200) for _ in range(150)]
        shifts = tuple(shift(begins, begins + chosen.randrange(1, 60), user) for user, begins in enumerate(starts))
        feed = FeedSpec("Calendar", shifts)

        for half in range(-2, 520):
            moment = MONDAY + half * HOUR / 2
            expected = {one.people[0] for one in shifts if one.starts_at <= moment < one.ends_at}
            self.assertEqual(set(feed.segment(moment).people), expected, moment)

    def test_it_finds_the_ends_of_a_shift_made_of_thousands_of_events(self) -> None:
        hours = (shift(0, 4_800, 2), *(shift(number, number + 1, 1) for number in range(4_800)))
        end = MONDAY + 4_800 * HOUR
        spec = ScheduleSpec((VersionSpec(MONDAY, (FeedSpec("Calendar", hours),)),), (), MONDAY, end)
        began = time.process_time()

        ends = shift_of(spec, 1, people_at(spec, MONDAY + 2_400 * HOUR))

        self.assertEqual(ends, (None, None))
        self.assertLess(time.process_time() - began, 1)
