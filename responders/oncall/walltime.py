"""Wall time as instants: skipped is later, repeated is first unless `fold` is set (RFC 5545, 3.3.5)."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

DAWN = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
DUSK = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TICK = dt.timedelta(microseconds=1)
# a day, at the date line
LARGEST_CHANGE = dt.timedelta(hours=26)


def resolve(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return wall.replace(tzinfo=zone).astimezone(dt.UTC)


def wall_of(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def candidates(wall: dt.datetime, zone: ZoneInfo) -> tuple[dt.datetime, ...]:
    """Return what a wall time may mean: two instants if it is skipped or repeated."""
    found = {wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1)}
    return tuple(instant.astimezone(zone) for instant in sorted(found))


def is_skipped(wall: dt.datetime, zone: ZoneInfo) -> bool:
    return wall_of(resolve(wall, zone), zone) != wall.replace(fold=0)


@lru_cache(maxsize=4096)
def has_day(day: dt.date, zone: ZoneInfo) -> bool:
    """Return whether the zone has this date: some lost one at the date line."""
    return wall_of(resolve(dt.datetime.combine(day, dt.time(12)), zone), zone).date() == day


def is_steady(instant: dt.datetime, zone: ZoneInfo) -> bool:
    """Return whether the offset changes nowhere near."""
    local = instant.astimezone(zone).utcoffset()
    near = ((instant + shift).astimezone(zone).utcoffset() for shift in (-LARGEST_CHANGE, LARGEST_CHANGE))
    return all(offset == local for offset in near)
