"""The calendars that clients subscribe to."""

import datetime as dt
from urllib.parse import urlsplit

from django.conf import settings

from responders import oncall
from responders.ical.writing import ScheduleCalendar, period_of, written
from responders.models import Schedule
from responders.services.oncall import load, names_of
from users.models import User


def calendar_of_schedule(schedule: Schedule, now: dt.datetime) -> bytes:
    """Return everybody's final shifts."""
    return _written(f"On call: {schedule.name}", [schedule], now)


def calendar_of_person(user: User, now: dt.datetime) -> bytes:
    """Return somebody's final shifts of all schedules."""
    return _written(f"On call: {user.name}", list(Schedule.objects.active().order_by("name")), now, user=user.pk)


def _written(title: str, schedules: list[Schedule], now: dt.datetime, user: int | None = None) -> bytes:
    start, end = period_of(now)
    loaded = load([schedule.pk for schedule in schedules], start, end)
    calendars = [
        ScheduleCalendar(
            schedule.pk,
            schedule.name,
            schedule.revision,
            schedule.changed_at,
            tuple(
                shift
                for shift in oncall.shifts(loaded[schedule.pk].spec, start, end)
                if user is None or shift.user_id == user
            ),
        )
        for schedule in schedules
    ]
    names = names_of(shift.user_id for calendar in calendars for shift in calendar.shifts)
    return written(title, calendars, names, urlsplit(settings.PUBLIC_URL).hostname or "localhost")
