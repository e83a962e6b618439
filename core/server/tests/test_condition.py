from unittest import mock

from django.test import SimpleTestCase

from core.server import condition
from core.server.condition import Aging, ClockCheck, Waiting


class Hands:
    """A clock that can be put forward and back, beside one that cannot."""

    def __init__(self):
        self.wall, self.steady = 1_800_000_000.0, 500.0

    def pass_by(self, seconds):
        self.wall += seconds
        self.steady += seconds

    def read_wall(self):
        return self.wall

    def read_steady(self):
        return self.steady


class ClockTests(SimpleTestCase):
    def setUp(self):
        self.hands = Hands()
        self.log = self.enterContext(mock.patch.object(condition, "log"))
        self.check = ClockCheck(self.hands.read_wall, self.hands.read_steady)

    def test_it_says_nothing_of_a_clock_that_goes_on(self):
        self.hands.pass_by(3600)
        self.hands.wall += 0.4  # as a time server slows and hastens it

        self.assertEqual(self.check(), "in sync")
        self.log.warning.assert_not_called()

    def test_it_says_when_the_clock_was_set(self):
        for jump, told in ((-2.0, "went back by 2 s, 5 s ago"), (3600.0, "went forward by 3600 s, 5 s ago")):
            with self.subTest(jump=jump):
                self.hands.wall += jump
                self.check()
                self.hands.pass_by(5)

                self.assertEqual(self.check(), told)
                self.log.warning.assert_called_with("clock_jumped", seconds=jump)
        self.assertEqual(self.log.warning.call_count, 2)

    def test_it_stops_telling_of_it_after_a_while(self):
        self.hands.wall -= 2
        self.check()
        self.hands.pass_by(condition.TOLD_SECONDS + 1)

        self.assertEqual(self.check(), "in sync")


class AgingTests(SimpleTestCase):
    def setUp(self):
        self.hands = Hands()
        self.age = Aging(self.hands.read_steady)

    def of(self, stamp):
        return self.age(stamp, self.hands.wall)

    def test_it_believes_a_stamp_that_it_sees_for_the_first_time(self):
        self.assertEqual(self.of(self.hands.wall - 61), 61)

    def test_it_grows_older_by_the_clock_that_nobody_sets(self):
        stamp = self.hands.wall
        self.of(stamp)
        for jump in (-3600.0, 7200.0):
            self.hands.wall += jump
            self.hands.pass_by(8)
            age = self.of(stamp)

        self.assertEqual(age, 16)

    def test_it_does_not_believe_a_stamp_in_the_future(self):
        stamp = self.hands.wall + 3600
        self.of(stamp)
        self.hands.pass_by(16)

        self.assertEqual(self.of(stamp), 16)

    def test_it_knows_what_it_saw_to_change(self):
        behind = 40  # seconds, the clock of the other machine
        self.of(self.hands.wall - behind)
        self.hands.pass_by(5)

        self.assertEqual(self.of(self.hands.wall - behind), 0)

    def test_it_believes_a_stamp_that_went_back_or_that_nobody_watched(self):
        self.of(self.hands.wall)
        older = self.of(self.hands.wall - 61)
        self.hands.pass_by(condition.CONTINUOUS_SECONDS + 1)

        self.assertEqual((older, self.of(self.hands.wall - 30)), (61, 30))


class WaitingTests(SimpleTestCase):
    def test_it_is_no_shorter_than_it_was_seen_to_be(self):
        hands = Hands()
        wait = Waiting(hands.read_steady)
        stamp = hands.wall - 10
        waits = [wait(stamp, hands.wall)]
        hands.pass_by(5)
        waits.append(wait(stamp, hands.wall))
        hands.wall -= 3600
        waits.append(wait(stamp, hands.wall))
        hands.pass_by(60)
        waits.append(wait(stamp, hands.wall))

        self.assertEqual(waits, [10, 15, 5, 65])
