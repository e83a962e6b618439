"""Generated schedules against a second reckoning; `python -m benchmarks.oncall.oracle` does it for two years each."""

import datetime as dt
from pathlib import Path
from typing import Any

from django.test import SimpleTestCase
from hypothesis import HealthCheck, given, seed, settings

from responders.tests import oracle
from responders.tests.generated import difference, line_ups
from tests.reported import reported_failure

DAYS = 21
# Each begins shortly before the clocks change.
BEGINNINGS = {
    "Europe/Berlin": dt.datetime.fromisoformat("2027-03-18"),
    "Australia/Lord_Howe": dt.datetime.fromisoformat("2026-03-25"),
    "Pacific/Apia": dt.datetime.fromisoformat("2011-12-20"),
    "Africa/Cairo": dt.datetime.fromisoformat("2023-04-18"),
    "America/Caracas": dt.datetime.fromisoformat("2016-04-20"),
}


class OracleTests(SimpleTestCase):
    @reported_failure(1, 2)
    def test_it_agrees_with_a_walk_minute_by_minute(self) -> None:
        for zone, first in BEGINNINGS.items():
            with self.subTest(zone):
                self.compare(zone, first)

    def compare(self, zone: str, first: dt.datetime) -> None:
        @seed(1)
        @settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(line_ups(first, DAYS))
        def check(made: Any) -> None:
            self.assertIsNone(difference(zone, *made, first, DAYS))

        check()

    def test_it_shares_no_code_with_what_it_judges(self) -> None:
        self.assertNotIn("from responders", Path(oracle.__file__).read_text(encoding="utf-8"))
