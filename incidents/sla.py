"""Due times: minutes counted round the clock or in business hours, less the time on hold. Pure: no clock, no database.

A calendar is the `calendar` part of `SlaPolicy.snapshot()`: {time_zone, weekdays, opens_at, closes_at, holidays}; None
counts round the clock. Hours that end at 24:00, or before they begin, end on the next day, and belong to the day on
which they begin. All datetimes are aware; business hours are local wall-clock times, so a working day that holds a
change of the clocks is as long as the wall clock says it is: counted in elapsed time between the two local instants.
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

MIDNIGHT = "24:00"  # the end of a day; 00:00 is stored for it, which as an end says nothing else
# A calendar in which nothing counts for so long has a mistake in it (every weekday is a holiday, say).
MAX_DAYS_WITHOUT_WORK = 366 * 2
# So has one that needs so long for its target: ten years' minutes in one hour a week, say. Counting on to the end of
# the calendar would keep everybody who reports waiting.
MAX_DAYS = 366 * 100


def end_of_hours(time: dt.time) -> str:
    """The end of some hours as people write it: that of a day is 24:00."""
    return MIDNIGHT if time == dt.time.min else time.isoformat("minutes")


def is_midnight(said: object) -> bool:
    """Whether this is how people write the end of a day."""
    return said in (MIDNIGHT, f"{MIDNIGHT}:00")


class CalendarNeverOpens(ValueError):
    """No working time follows the given instant for two years, or too little of it in a hundred."""


def due_at(
    start: dt.datetime, minutes: int | None, calendar: Calendar, holds: Sequence[Interval] = ()
) -> dt.datetime | None:
    """When `minutes` of counting time have passed since `start`, not counting what lies within `holds`.

    None when there is no target. Holds are closed intervals in order of time.
    """
    if minutes is None:
        return None
    wanted = dt.timedelta(minutes=minutes)
    # Between two times of one zone Python counts by the wall clock; elapsed time is counted in UTC.
    start = start.astimezone(dt.UTC)
    holds = [(held_from.astimezone(dt.UTC), held_until.astimezone(dt.UTC)) for held_from, held_until in holds]
    if calendar is None:
        return _due_round_the_clock(start, wanted, holds)
    last_moment = start
    for opens, closes in _counting(start, calendar, holds):
        if closes - opens >= wanted:
            return opens + wanted
        wanted -= closes - opens
        last_moment = closes
    raise CalendarNeverOpens(f"no working time after {last_moment.isoformat()}")


def overdue(
    status: str, ack_due_at: dt.datetime | None, resolve_due_at: dt.datetime | None, now: dt.datetime
) -> tuple[bool, bool]:
    """Whether the clocks that run in this status, to acknowledge and to resolve, are past due at this moment.

    `incidents.filters` asks the database the same.
    """
    is_running = status in (Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS)
    return (
        status == Status.OPEN and ack_due_at is not None and ack_due_at < now,
        is_running and resolve_due_at is not None and resolve_due_at < now,
    )


def counted_between(start: dt.datetime, end: dt.datetime, calendar: Calendar) -> dt.timedelta:
    """How much of the time between two instants counts."""
    start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
    if calendar is None:
        return max(end - start, dt.timedelta())
    total = dt.timedelta()
    for opens, closes in working_intervals(start, calendar):
        if opens >= end:
            break
        total += min(closes, end) - opens
    return total


def working_intervals(start: dt.datetime, calendar: dict[str, Any]) -> Iterator[Interval]:
    """The business hours from `start` on, in UTC, cut there; ends when two years pass without any, or a hundred."""
    zone, weekdays, opens_at, closes_at, holidays = _parsed(
        calendar["time_zone"],
        tuple(calendar["weekdays"]),
        calendar["opens_at"],
        calendar["closes_at"],
        tuple(calendar["holidays"]),
    )
    start = start.astimezone(dt.UTC)
    nights = dt.timedelta(days=closes_at < opens_at or closes_at == dt.time.min)
    day = start.astimezone(zone).date() - nights  # what began yesterday may go on still
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


def _due_round_the_clock(start: dt.datetime, wanted: dt.timedelta, holds: Sequence[Interval]) -> dt.datetime:
    due = start + wanted
    for held_from, held_until in holds:
        if held_until > start and held_from < due:
            due += held_until - max(held_from, start)
    return due


def _counting(start: dt.datetime, calendar: dict[str, Any], holds: Sequence[Interval]) -> Iterator[Interval]:
    return chain.from_iterable(_without(interval, holds) for interval in working_intervals(start, calendar))


def _without(interval: Interval, holds: Sequence[Interval]) -> Iterator[Interval]:
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
def _parsed(
    time_zone: str, weekdays: tuple[int, ...], opens_at: str, closes_at: str, holidays: tuple[str, ...]
) -> tuple[ZoneInfo, frozenset[int], dt.time, dt.time, frozenset[dt.date]]:
    return (
        ZoneInfo(time_zone),
        frozenset(weekdays),
        dt.time.fromisoformat(opens_at),
        dt.time.min if closes_at == MIDNIGHT else dt.time.fromisoformat(closes_at),
        frozenset(dt.date.fromisoformat(day) for day in holidays),
    )
