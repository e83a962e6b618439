"""Calculate due times in minutes round the clock or in business hours, without time on hold.

Calendars come from `SlaPolicy.snapshot()`; None counts round the clock. Hours that end at 24:00 or before they begin
end on the next day.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from incidents.vocabulary import Status

Interval = tuple[dt.datetime, dt.datetime]
Calendar = dict[str, Any] | None

MIDNIGHT = "24:00"  # stored as 00:00
# A calendar without working time for so long is a mistake.
MAX_DAYS_WITHOUT_WORK = 366 * 2
# Counting on would block the reporter.
MAX_DAYS = 366 * 100


def format_closing_time(time: dt.time) -> str:
    return MIDNIGHT if time == dt.time.min else time.isoformat("minutes")


def is_midnight(said: object) -> bool:
    return said in (MIDNIGHT, f"{MIDNIGHT}:00")


class CalendarNeverOpens(ValueError):
    """The calendar has too little working time."""


def due_at(
    start: dt.datetime, minutes: int | None, calendar: Calendar, holds: Sequence[Interval] = ()
) -> dt.datetime | None:
    """Return when `minutes` of counting time have passed, outside the ordered `holds`."""
    if minutes is None:
        return None
    wanted = dt.timedelta(minutes=minutes)
    # Python subtracts times of one zone by the wall clock; elapsed time needs UTC.
    start = start.astimezone(dt.UTC)
    holds = [(held_from.astimezone(dt.UTC), held_until.astimezone(dt.UTC)) for held_from, held_until in holds]
    if calendar is None:
        due = start + wanted
        for held_from, held_until in holds:
            if held_until > start and held_from < due:
                due += held_until - max(held_from, start)
        return due
    last_moment = start
    for opens, closes in _counting_intervals(start, calendar, holds):
        if closes - opens >= wanted:
            return opens + wanted
        wanted -= closes - opens
        last_moment = closes
    raise CalendarNeverOpens(f"no working time after {last_moment.isoformat()}")


def overdue_targets(
    status: str, ack_due_at: dt.datetime | None, resolve_due_at: dt.datetime | None, now: dt.datetime
) -> tuple[bool, bool]:
    """Return whether acknowledgement and resolution are overdue."""
    is_running = status in (Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS)
    return (
        status == Status.OPEN and ack_due_at is not None and ack_due_at < now,
        is_running and resolve_due_at is not None and resolve_due_at < now,
    )


def working_intervals(start: dt.datetime, calendar: dict[str, Any]) -> Iterator[Interval]:
    """Yield the business hours from `start` on, in UTC."""
    zone, weekdays, opens_at, closes_at, holidays = _parse_calendar(
        calendar["time_zone"],
        tuple(calendar["weekdays"]),
        calendar["opens_at"],
        calendar["closes_at"],
        tuple(calendar["holidays"]),
    )
    start = start.astimezone(dt.UTC)
    nights = dt.timedelta(days=closes_at < opens_at or closes_at == dt.time.min)
    day = start.astimezone(zone).date() - nights  # yesterday's may still run
    idle_days = 0
    for _ in range(MAX_DAYS):
        if idle_days >= MAX_DAYS_WITHOUT_WORK:
            return
        opens = dt.datetime.combine(day, opens_at, zone).astimezone(dt.UTC)
        closes = dt.datetime.combine(day + nights, closes_at, zone).astimezone(dt.UTC)
        is_working = day.weekday() in weekdays and day not in holidays and closes > max(opens, start)
        if is_working:
            yield max(opens, start), closes
        idle_days = 0 if is_working else idle_days + 1
        day += dt.timedelta(days=1)


def _counting_intervals(start: dt.datetime, calendar: dict[str, Any], holds: Sequence[Interval]) -> Iterator[Interval]:
    return chain.from_iterable(_subtract_holds(interval, holds) for interval in working_intervals(start, calendar))


def _subtract_holds(interval: Interval, holds: Sequence[Interval]) -> Iterator[Interval]:
    opens, closes = interval
    for held_from, held_until in holds:
        if held_until <= opens or held_from >= closes:
            continue
        if held_from > opens:
            yield opens, held_from
        opens = max(opens, held_until)
        if opens >= closes:
            return
    yield opens, closes


@lru_cache(maxsize=256)
def _parse_calendar(
    time_zone: str, weekdays: tuple[int, ...], opens_at: str, closes_at: str, holidays: tuple[str, ...]
) -> tuple[ZoneInfo, frozenset[int], dt.time, dt.time, frozenset[dt.date]]:
    return (
        ZoneInfo(time_zone),
        frozenset(weekdays),
        dt.time.fromisoformat(opens_at),
        dt.time.min if closes_at == MIDNIGHT else dt.time.fromisoformat(closes_at),
        frozenset(dt.date.fromisoformat(day) for day in holidays),
    )
