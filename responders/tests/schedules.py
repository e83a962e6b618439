"""Builders of schedules for tests."""

import datetime as dt
from itertools import count
from typing import Any

from responders.models import Membership, Schedule, ScheduleOverride, ScheduleVersion, Team
from users.models import User

_numbers = count(1)


def at(text: str) -> dt.datetime:
    """An instant in UTC, such as 2026-11-30T09:00."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def make_team(name: str, *members: User) -> Team:
    """A team."""
    team = Team.objects.create(name=name)
    for user in members:
        Membership.objects.create(team=team, user=user)
    return team


def layer(*turns: User | list[User], **fields: Any) -> dict[str, Any]:
    """A layer as it is stored: weekly from Monday 2026-01-05 09:00 on, unless told otherwise."""
    return {
        "name": "Primary",
        "users": [[user.pk for user in (turn if isinstance(turn, list) else [turn])] for turn in turns],
        "rotation": {"unit": "weeks", "every": 1},
        "starts_at": "2026-01-05T09:00:00",
        "hand_over": {"time": "09:00", "weekday": 0},
        "advance": "calendar",
        "restrictions": [],
        "first_turn": 0,
        **fields,
    }


def make_schedule(
    *layers: dict[str, Any], team: Team | None = None, time_zone: str = "Europe/Berlin", **fields: Any
) -> Schedule:
    """A schedule whose only line-up holds since 2020."""
    schedule = Schedule.objects.create(
        **{"name": f"Schedule {next(_numbers)}", "team": team, "time_zone": time_zone, **fields}
    )
    ScheduleVersion.objects.create(
        schedule=schedule, effective_from=at("2020-01-01T00:00"), time_zone=time_zone, layers=list(layers)
    )
    return schedule


def make_override(
    schedule: Schedule,
    starts: str,
    ends: str,
    *,
    add: tuple[User, ...] = (),
    remove: tuple[User, ...] = (),
    **fields: Any,
) -> ScheduleOverride:
    """An override between two instants in UTC."""
    return ScheduleOverride.objects.create(
        schedule=schedule,
        starts_at=at(starts),
        ends_at=at(ends),
        add=[user.pk for user in add],
        remove=[user.pk for user in remove],
        **fields,
    )
