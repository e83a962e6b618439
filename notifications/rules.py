"""When a person is reached by what: rules, the fallback after them, quiet hours."""

import datetime as dt
import zoneinfo
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FALLBACK_MINUTES = 2.0  # after the last step of a rule
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Way:
    """A method, so many minutes after the page; `repeat` numbers the uses of one method."""

    method: int
    after_minutes: float
    is_fallback: bool = False
    repeat: int = 0


def ways_of(steps: Sequence[Mapping[str, Any]], verified: Collection[int]) -> list[Way]:
    """Return how a person is reached: by the rule's steps, and by every other verified method if those bring no answer.

    `verified` are the ids of methods that may be used, in order. Without a usable step, all are used at once.
    """
    found: list[Way] = []
    for step in sorted(steps, key=lambda step: float(step.get("delay_minutes", 0))):
        number = int(step.get("method") or 0)
        if number in verified:
            uses = sum(way.method == number for way in found)
            found.append(Way(number, float(step.get("delay_minutes", 0)), repeat=uses))
    if not found:
        return [Way(number, 0.0) for number in verified]
    after = found[-1].after_minutes + FALLBACK_MINUTES
    named = {way.method for way in found}
    return [*found, *(Way(number, after, is_fallback=True) for number in verified if number not in named)]


def quiet_until(quiet_hours: Mapping[str, Any], zone_name: str, at: dt.datetime) -> dt.datetime | None:
    """Return when the quiet hours end that a moment lies in; None if it lies in none.

    `weekdays` are those on which quiet hours begin (Monday is 0); none listed means each day. An unknown zone is UTC.
    """
    begin, end = _time(quiet_hours.get("from")), _time(quiet_hours.get("to"))
    if begin is None or end is None or begin == end:
        return None
    zone = zone_of(zone_name)
    weekdays = quiet_hours.get("weekdays") or range(7)
    today = at.astimezone(zone).date()
    for date in (today - DAY, today):
        if date.weekday() not in weekdays:
            continue
        starts = dt.datetime.combine(date, begin, zone)
        ends = dt.datetime.combine(date if begin < end else date + DAY, end, zone)
        # As instants: times of one zone are compared by their wall clock.
        if starts.astimezone(dt.UTC) <= at < ends.astimezone(dt.UTC):
            return ends.astimezone(dt.UTC)
    return None


def zone_of(name: str) -> dt.tzinfo:
    """Return a zone by its IANA name; UTC if there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return dt.UTC


def _time(text: object) -> dt.time | None:
    try:
        return dt.time.fromisoformat(str(text))
    except ValueError:
        return None
