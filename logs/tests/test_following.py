import datetime as dt

from django.test import TestCase
from django.utils import timezone

from logs.lines import Line
from logs.services import following
from logs.services.following import lines_after, newest_id
from logs.tests.factories import make_lines

LONG_AGO = dt.timedelta(minutes=5)


class FollowingTests(TestCase):
    def messages(self, after: int, **given: str) -> list[str]:
        return [line["message"] for line in lines_after(after, given).lines]

    def test_it_goes_on_after_a_line(self) -> None:
        first = make_lines(Line("one"), Line("two"), at=timezone.now() - LONG_AGO)
        start = newest_id()
        make_lines(Line("three"), Line("four"))

        found = lines_after(start, {})

        self.assertEqual([line["message"] for line in found.lines], ["three", "four"])
        self.assertEqual((found.after, found.is_cut), (newest_id(), False))
        self.assertEqual(first[-1].pk, start)

    def test_it_repeats_what_came_just_now_for_ids_commit_out_of_order(self) -> None:
        make_lines(Line("one"))

        self.assertEqual(self.messages(newest_id()), ["one"])

    def test_it_filters_as_the_list_does(self) -> None:
        make_lines(Line("one", service="cart"), Line("two", service="auth", host="h1"))
        for given, expected in (
            ({"service": "cart"}, ["one"]),
            ({"host": "h1"}, ["two"]),
            ({"q": "TW"}, ["two"]),
            ({"level_min": "error"}, []),
            ({"since": "2030-01-01T00:00:00Z"}, ["one", "two"]),
        ):
            with self.subTest(given=given):
                self.assertEqual(self.messages(0, **given), expected)

    def test_it_leaves_out_what_is_too_much(self) -> None:
        make_lines(*(Line(f"line {number}") for number in range(following.MAX_SHOWN + 50)))

        found = lines_after(0, {})

        self.assertTrue(found.is_cut)
        self.assertEqual(len(found.lines), following.MAX_SHOWN)
        self.assertEqual(found.lines[-1]["message"], f"line {following.MAX_SHOWN + 49}")
