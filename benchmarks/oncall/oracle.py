"""Compare generated schedules with a reckoning minute by minute: python -m benchmarks.oncall.oracle [schedules]."""

import datetime as dt
import os
import sys
import time

import django
from hypothesis import HealthCheck, given, seed, settings

DAYS = 730
WHOLE = 200


def main(schedules: int) -> None:
    from responders.tests.generated import ZONES

    started, compared = time.monotonic(), 0
    for zone, first in ZONES.items():
        compared += compare(zone, first, schedules)
        print(f"{zone}: equal ({compared} so far, {time.monotonic() - started:.0f} s)", flush=True)
    print(f"{compared} schedules × {DAYS} days in {len(ZONES)} zones agree with the oracle.")


def compare(zone: str, first: dt.datetime, schedules: int) -> int:
    """Compare so many schedules in a zone; return how many were."""
    from responders.tests.generated import difference, line_ups

    compared = []

    @seed(zone)
    @settings(max_examples=schedules, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(line_ups(first, DAYS))
    def check(made):
        compared.append(1)
        wrong = difference(zone, *made, first, DAYS)
        assert wrong is None, (zone, made, wrong)

    check()
    return len(compared)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "incident_response.settings")
    django.setup()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else WHOLE)
