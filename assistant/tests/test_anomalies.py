"""Unusual counts, and templates that are new or surge, also in the logs of real systems."""

import csv
from pathlib import Path
from unittest import skipUnless

from django.test import SimpleTestCase

from assistant.anomalies import UNUSUAL, Line, robust_z, surging
from benchmarks.templates import SAMPLES

COUNTS = [
    ("quiet, then a burst", [0, 0, 1, 0, 0, 2, 0, 0, 1, 0], 20, True),
    ("busy, as ever", [100, 110, 95, 104, 99, 102, 97, 108], 112, False),
    ("busy, doubled", [100, 110, 95, 104, 99, 102, 97, 108], 200, True),
    ("one spike before does not hide another", [5, 4, 6, 5, 400, 5, 6, 4, 5], 60, True),
    ("too little history", [0, 0, 0], 50, False),
    ("nothing at all", [0] * 20, 0, False),
    ("three lines of a silent service", [0] * 20, 3, False),
]


def lines(*messages: str, level: int = 5, since: int = 0) -> list[Line]:
    return [Line(since + number, message, level) for number, message in enumerate(messages)]


class RobustZTests(SimpleTestCase):
    def test_it_tells_bursts_from_noise(self) -> None:
        for name, history, value, is_unusual in COUNTS:
            with self.subTest(name):
                self.assertEqual(robust_z(history, value) >= UNUSUAL, is_unusual)


class SurgingTests(SimpleTestCase):
    def test_it_names_new_errors_first(self) -> None:
        before = lines(*(f"slow query took {number} ms" for number in range(40)))
        around = lines("slow query took 9 ms", *(f"pool exhausted after {number} s" for number in range(6)), since=100)

        found = surging(before, around, times=18)

        self.assertEqual(
            [(one.template, one.count, one.is_new) for one in found], [("pool exhausted after <*> s", 6, True)]
        )

    def test_it_names_what_became_more_frequent(self) -> None:
        before = lines(*(f"retry {number}" for number in range(5)))
        around = lines(*(f"retry {number}" for number in range(40)), since=100)

        [found] = surging(before, around, times=18)

        self.assertFalse(found.is_new)
        self.assertGreater(found.ratio, 100)

    def test_it_is_silent_about_single_warnings_and_the_usual(self) -> None:
        usual = lines(*["cache miss"] * 180)

        self.assertEqual(surging(usual, lines(*["cache miss"] * 10, since=500), times=18), [])
        self.assertEqual(surging(usual, lines("odd thing", level=4, since=500), times=18), [])

    def test_it_counts_lines_that_were_not_read(self) -> None:
        before = [Line(number, f"retry {number}", 5, "", 50.0) for number in range(20)]

        self.assertEqual(surging(before, lines(*(f"retry {number}" for number in range(30)), since=100), times=18), [])


@skipUnless(SAMPLES.exists(), f"No sample logs at {SAMPLES}")
class RealLogTests(SimpleTestCase):
    """Half of each log is its history: what its published templates say is new must be found, and nothing usual."""

    def test_it_finds_the_templates_that_are_new_in_real_logs(self) -> None:
        found = expected = right = 0
        for path in sorted(SAMPLES.glob("*/*_structured.csv")):
            rows = _rows(path)
            half = len(rows) // 2
            known = {event for event, _message in rows[:half]}
            new = {event for event, _message in rows[half:]} - known
            before = [Line(number, message, 5) for number, (_event, message) in enumerate(rows[:half])]
            around = [Line(half + number, message, 5) for number, (_event, message) in enumerate(rows[half:])]
            named = [rows[one.first.id][0] for one in surging(before, around, times=1, most=1000) if one.is_new]
            found += len(named)
            right += len(new & set(named))
            expected += len(new)

        self.assertGreater(expected, 20)
        self.assertGreaterEqual(right / found, 0.9)
        self.assertGreaterEqual(right / expected, 0.7)


def _rows(path: Path) -> list[tuple[str, str]]:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        return [(row["EventId"], row["Content"]) for row in csv.DictReader(file)]
