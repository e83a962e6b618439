"""What becomes of the shifts of somebody whose account is deactivated: they are gaps, and nobody else's turn moves."""

import datetime as dt
from collections.abc import Iterator

from django.utils.translation import gettext

from responders import oncall
from responders.lineups import without
from responders.models import Schedule, ScheduleVersion, ShiftSwap, SwapState
from responders.oncall import Difference
from responders.services import covering, lineups
from responders.services.oncall import HORIZON, load
from users.leaving import Loss
from users.models import User

MOST_LOSSES = 20


def losses(user: User, now: dt.datetime) -> Iterator[Loss]:
    """Yield the shifts that others or nobody would have, of the next 100 days."""
    for schedule, lost in lost_shifts(user, now):
        for one in lost[:MOST_LOSSES]:
            yield Loss(
                gettext("shift of %(schedule)s") % {"schedule": schedule.name},
                one.starts_at,
                one.ends_at,
                is_covered=bool(one.will_be),
            )


def lost_shifts(user: User, now: dt.datetime) -> list[tuple[Schedule, list[Difference]]]:
    """Return what somebody's absence would change, of each schedule that has them."""
    schedules = {schedule.pk: schedule for schedule in Schedule.objects.active().order_by("name")}
    loaded = load(list(schedules), now, now + HORIZON)
    found = []
    for key, one in loaded.items():
        if any(shift.user_id == user.pk for shift in oncall.shifts(one.spec, now, now + HORIZON)):
            found.append((schedules[key], list(covering.lost_shifts(one.spec, user.pk, now, now + HORIZON))))
    return found


def leave_schedules(user: User, now: dt.datetime, by: User | None) -> None:
    """Empty somebody's turns from now on, in every line-up to come too."""
    for schedule in Schedule.objects.order_by("pk").select_for_update():
        is_named = _leave_line_ups(schedule, user, now, by)
        if covering.without_person(schedule, user, now=now, by=by) or is_named:
            lineups.touch(schedule, now)
    open_swaps = ShiftSwap.objects.filter(state__in=[SwapState.OPEN, SwapState.TAKEN])
    open_swaps.filter(requester=user).update(state=SwapState.WITHDRAWN)
    open_swaps.filter(taker=user).update(state=SwapState.OPEN, taker=None)


def _leave_line_ups(schedule: Schedule, user: User, now: dt.datetime, by: User | None) -> bool:
    is_named = False
    present = lineups.current_version(schedule, now)
    for version in schedule.versions.filter(effective_from__gt=now):
        if _names(version, user):
            version.layers = without(version.layers, user.pk)
            version.save(update_fields=["layers"])
            is_named = True
    if present is not None and _names(present, user):
        lineups.insert_version(schedule, now, present.time_zone, without(present.layers, user.pk), by)
        lineups.link_versions(schedule)
        is_named = True
    return is_named


def _names(version: ScheduleVersion, user: User) -> bool:
    return any(user.pk in turn for layer in version.layers for turn in layer["users"])
