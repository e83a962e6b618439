"""How on-call time is spread: hours, nights, weekends and public holidays per person."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from responders.oncall import Shift
from responders.oncall.walltime import DAY, resolve, wall_of

NIGHT_BEGINS, NIGHT_ENDS = dt.time(22), dt.time(6)
SATURDAY = 5


@dataclass
class Share:
    """Somebody's part; days and nights count once, however long the shift within them."""

    seconds: float = 0
    night_seconds: float = 0
    weekend_seconds: float = 0
    holiday_seconds: float = 0
    shifts: int = 0
    nights: set[dt.date] = field(default_factory=set)
    weekends: set[dt.date] = field(default_factory=set)
    holidays: set[dt.date] = field(default_factory=set)


def shares_of(shifts: Iterable[Shift], zone: ZoneInfo, region: str) -> dict[int, Share]:
    """Return each person's share, by the clocks of the zone. Shifts are those of `responders.oncall`."""
    found: dict[int, Share] = defaultdict(Share)
    for shift in shifts:
        share = found[shift.user_id]
        share.shifts += 1
        for starts_at, ends_at, day, is_night in _pieces(shift, zone):
            _count(share, (ends_at - starts_at).total_seconds(), day, is_night, region, wall_of(starts_at, zone))
    return dict(found)


def _count(share: Share, seconds: float, day: dt.date, is_night: bool, region: str, wall: dt.datetime) -> None:
    share.seconds += seconds
    if is_night:
        share.night_seconds += seconds
        # A night belongs to the evening on which it begins.
        share.nights.add(day - DAY if wall.time() < NIGHT_ENDS else day)
    if day.weekday() >= SATURDAY:
        share.weekend_seconds += seconds
        share.weekends.add(day - DAY * (day.weekday() - SATURDAY))
    if region and day in _holidays_of(region, day.year):
        share.holiday_seconds += seconds
        share.holidays.add(day)


def _pieces(shift: Shift, zone: ZoneInfo) -> Iterator[tuple[dt.datetime, dt.datetime, dt.date, bool]]:
    """Cut a shift at midnight and where nights begin and end."""
    day = wall_of(shift.starts_at, zone).date()
    starts_at = shift.starts_at
    while starts_at < shift.ends_at:
        ends = ((dt.time.min, NIGHT_ENDS, True), (NIGHT_ENDS, NIGHT_BEGINS, False), (NIGHT_BEGINS, dt.time.min, True))
        for _, ends_wall, is_night in ends:
            ends_day = day + DAY if ends_wall == dt.time.min else day
            ends_at = min(resolve(dt.datetime.combine(ends_day, ends_wall), zone), shift.ends_at)
            if ends_at > starts_at:
                yield starts_at, ends_at, day, is_night
                starts_at = ends_at
        day += DAY


@lru_cache(maxsize=128)
def _holidays_of(region: str, year: int) -> frozenset[dt.date]:
    country, _, subdivision = region.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
