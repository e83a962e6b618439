"""When a person is reached by what: rules, the fallback after them, quiet hours."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.text.zones import zone_named

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
    """Return how a person is reached: by the rule's steps, then every other verified method; without steps, at once."""
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
    """Return when the quiet hours around a moment end, or None; without weekdays (of their start), they are daily."""
    begin, end = _time(quiet_hours.get("from")), _time(quiet_hours.get("to"))
    if begin is None or end is None or begin == end:
        return None
    zone = zone_named(zone_name)
    weekdays = quiet_hours.get("weekdays") or range(7)
    today = at.astimezone(zone).date()
    for date in (today - DAY, today):
        if date.weekday() not in weekdays:
            continue
        starts = dt.datetime.combine(date, begin, zone)
        ends = dt.datetime.combine(date if begin < end else date + DAY, end, zone)
        # as instants: a zone's own times compare by wall clock
        if starts.astimezone(dt.UTC) <= at < ends.astimezone(dt.UTC):
            return ends.astimezone(dt.UTC)
    return None


def _time(text: object) -> dt.time | None:
    try:
        return dt.time.fromisoformat(str(text))
    except ValueError:
        return None
