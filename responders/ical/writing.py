"""Shifts as a calendar that clients subscribe to."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from icalendar import Calendar, Event, vDuration

from responders.oncall import Shift

REFRESH = dt.timedelta(minutes=15)
PRODUCT = "-//incident-response//on call//EN"


@dataclass(frozen=True)
class ScheduleCalendar:
    """A schedule's shifts; `revision` rises with every change."""

    schedule_id: int
    name: str
    revision: int
    changed_at: dt.datetime
    shifts: tuple[Shift, ...]


def period_of(now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Return the time a calendar covers, which moves once a month only: cut shifts keep their UIDs."""
    start, end = now - dt.timedelta(days=60), now + dt.timedelta(days=215)
    first = {"day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    return start.replace(**first), end.replace(**first)  # type: ignore[arg-type]


def written(title: str, schedules: Iterable[ScheduleCalendar], names: dict[int, str], host: str) -> bytes:
    """Return an iCalendar stream; unchanged shifts keep their bytes."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", title)
    calendar.add("x-wr-calname", title)
    refresh = vDuration(REFRESH)
    refresh.params["VALUE"] = "DURATION"
    calendar.add("refresh-interval", refresh)
    calendar.add("x-published-ttl", "PT15M")
    for schedule in schedules:
        for shift in schedule.shifts:
            calendar.add_component(_event(schedule, shift, names.get(shift.user_id, ""), host))
    return bytes(calendar.to_ical())


def _event(schedule: ScheduleCalendar, shift: Shift, name: str, host: str) -> Event:
    event = Event()
    event.add("uid", f"{schedule.schedule_id}-{shift.user_id}-{shift.starts_at:%Y%m%dT%H%M%SZ}@{host}")
    event.add("sequence", schedule.revision)
    event.add("dtstamp", schedule.changed_at.replace(microsecond=0))
    event.add("dtstart", shift.starts_at)
    event.add("dtend", shift.ends_at)
    event.add("summary", f"{name} on call: {schedule.name}")
    event.add("description", "Override" if shift.override else f"Layer {shift.layer}")
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event
