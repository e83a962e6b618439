import datetime as dt

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from rest_framework.exceptions import ValidationError

from logs.lines import Line
from logs.services import density as services
from logs.services.density import BUCKETS, density
from logs.tests.factories import make_lines
from logs.vocabulary import Level

SINCE = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
UNTIL = SINCE + dt.timedelta(minutes=BUCKETS)


def lines(number: int, *, minute: int = 0, **fields: object) -> list[Line]:
    at = SINCE + dt.timedelta(minutes=minute)
    step = dt.timedelta(minutes=1) / number
    return [Line(f"line {one}", at + step * one, **fields) for one in range(number)]  # type: ignore[arg-type]


class DensityTests(TestCase):
    def counts(self, **given: str) -> list[tuple[int, int]]:
        return [(one.count, one.errors) for one in density(given, SINCE, UNTIL)]

    def test_it_counts_lines_and_errors_by_time(self) -> None:
        make_lines(*lines(5), *lines(2, minute=3, level=Level.ERROR), *lines(1, minute=3), at=UNTIL)

        counts = self.counts()

        self.assertEqual((len(counts), counts[0], counts[1], counts[3]), (BUCKETS, (5, 0), (0, 0), (3, 2)))
        self.assertTrue(all(one.is_exact for one in density({}, SINCE, UNTIL)))

    def test_it_filters_as_the_list_does(self) -> None:
        make_lines(
            *lines(4, service="cart"),
            *lines(3, service="cart", level=Level.ERROR),
            *lines(2, host="h1"),
            at=UNTIL,
        )
        table: list[tuple[dict[str, str], tuple[int, int]]] = [
            ({"service": "cart"}, (7, 3)),
            ({"level": "error"}, (3, 3)),
            ({"level_min": "warning"}, (3, 3)),
            ({"host": "h1"}, (2, 0)),
            ({"q": "LINE 3"}, (1, 0)),
            ({"service": "cart", "q": "line 0"}, (2, 1)),
            ({"level": "info", "level_min": "error"}, (0, 0)),
        ]
        for given, expected in table:
            with self.subTest(given=given):
                self.assertEqual(self.counts(**given)[0], expected)
        with self.assertRaises(ValidationError):
            self.counts(level="loud")

    def test_it_estimates_what_is_too_much_to_count(self) -> None:
        make_lines(*lines(services.MAX_LOOKED_AT * 4), *lines(1, minute=0, level=Level.CRITICAL), at=UNTIL)

        first = density({}, SINCE, UNTIL)[0]

        self.assertFalse(first.is_exact)
        self.assertAlmostEqual(first.count, services.MAX_LOOKED_AT * 4, delta=services.MAX_LOOKED_AT / 2)
        self.assertEqual(first.errors, 1)

    def test_it_asks_once(self) -> None:
        for given in ({}, {"service": "cart"}, {"q": "x"}):
            with CaptureQueriesContext(connection) as queries:
                density(given, SINCE, UNTIL)

            self.assertEqual(len(queries), 1)
            self.assertEqual(queries[0]["sql"].count("LIMIT"), queries[0]["sql"].count("COUNT(*)"))
