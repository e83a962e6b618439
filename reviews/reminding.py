"""When people are reminded of reviews and action items."""

import datetime as dt
from collections.abc import Iterator
from itertools import count
from zoneinfo import ZoneInfo

REVIEW_AHEAD = dt.timedelta(days=2)
REVIEW_EVERY = dt.timedelta(days=3)  # once due
ITEM_AHEAD = 2  # days
ITEM_EVERY = 7  # days, once due
MORNING = dt.time(9)


def next_of_review(due_at: dt.datetime, after: dt.datetime) -> dt.datetime:
    """Return the first reminder after a moment: two days ahead, when due, then every three days."""
    if after < due_at - REVIEW_AHEAD:
        return due_at - REVIEW_AHEAD
    if after < due_at:
        return due_at
    return due_at + ((after - due_at) // REVIEW_EVERY + 1) * REVIEW_EVERY


def next_of_item(due_on: dt.date, zone: ZoneInfo, after: dt.datetime) -> dt.datetime:
    """Return the first reminder after a moment, at nine in the zone: two days ahead, on the day, then weekly."""
    return next(moment for day in _days(due_on, after) if (moment := morning_of(day, zone)) > after)


def _days(due_on: dt.date, after: dt.datetime) -> Iterator[dt.date]:
    yield due_on - dt.timedelta(days=ITEM_AHEAD)
    missed = max((after.date() - due_on).days // ITEM_EVERY - 1, 0)
    for week in count(missed):
        yield due_on + dt.timedelta(days=ITEM_EVERY * week)


def morning_of(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return nine o'clock of a day in a zone."""
    return dt.datetime.combine(day, MORNING, zone).astimezone(dt.UTC)


def latest_monday(now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the last Monday morning that has begun in a zone."""
    today = now.astimezone(zone).date()
    morning = morning_of(today - dt.timedelta(days=today.weekday()), zone)
    return morning if morning <= now else morning_of(today - dt.timedelta(days=today.weekday() + 7), zone)
