import random
from typing import Any

from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from incidents.percentiles import Cut, nearest_rank, numbers_of, sorted_percentiles


class NearestRankTests(SimpleTestCase):
    def test_it_takes_the_smallest_value_that_reaches_the_share(self) -> None:
        table = [(50, 1, 0), (50, 2, 0), (50, 3, 1), (90, 10, 8), (95, 10, 9), (95, 20, 18), (95, 100, 94), (90, 1, 0)]
        for percent, count, position in table:
            with self.subTest(percent=percent, count=count):
                self.assertEqual(nearest_rank(percent, count), position)

    @given(st.lists(st.integers(0, 100), min_size=1, max_size=200))
    def test_it_reaches_the_share_and_not_sooner(self, values: list[int]) -> None:
        values.sort()
        found = sorted_percentiles(values)
        for percent in (50, 90, 95):
            value = found[f"p{percent}_seconds"]
            below = sum(each < value for each in values)
            up_to = sum(each <= value for each in values)

            self.assertTrue(below * 100 < percent * len(values) <= up_to * 100)

    def test_it_has_nothing_to_say_of_nothing(self) -> None:
        self.assertEqual(sorted_percentiles([]), {"p50_seconds": None, "p90_seconds": None, "p95_seconds": None})

    def test_it_is_exact_at_any_size(self) -> None:
        values = sorted(random.Random(1).choices(range(10**6), k=10**5))

        self.assertEqual(sorted_percentiles(values)["p95_seconds"], values[94_999])


class JoinedTests(SimpleTestCase):
    def test_it_notices_what_the_database_cut(self) -> None:
        def row(text: str | None, count: int, total: int | None) -> dict[str, Any]:
            return {"seconds_text": text, "seconds_count": count, "seconds_sum": total}

        self.assertEqual(numbers_of(row("3,1,20", 3, 24), "seconds"), [3, 1, 20])
        self.assertEqual(numbers_of(row(None, 0, None), "seconds"), [])
        for text in ("3,1,2", "3,1,", "3,1", None):
            with self.subTest(text), self.assertRaises(Cut):
                numbers_of(row(text, 3, 24), "seconds")
