"""Who is on call, and the pages under way."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from core.db.clock import database_now
from incidents.models import Incident, IncidentEvent, Status
from notifications.models import ContactMethod
from notifications.services.methods import address_key
from notifications.vocabulary import MethodState
from paging.services.performing import perform_due
from paging.services.starting import start_for
from responders.models import EscalationPolicy, Schedule, Team
from responders.services.covering import add_override
from responders.services.handing_over import write_note
from responders.services.lineups import create_schedule
from responders.services.policies import keep_targets
from users.models import User

Values = dict[str, Any]
BEGAN = dt.timedelta(days=28)  # rotations, before the demo is loaded


def set_up(
    content: Values,
    people: Mapping[str, User],
    teams: Mapping[str, Team],
    now: dt.datetime,
    span: Callable[[str], dt.timedelta],
) -> None:
    """Create contact methods, schedules, an override and policies; `span` parses durations."""
    for user in people.values():
        if user.is_staff:
            _reachable(user, now)
    schedules = {row["name"]: _schedule(row, people, teams, now) for row in content["schedule"]}
    for row in content["override"]:
        begins = (now + span(row["begins"])).replace(minute=0, second=0, microsecond=0)
        schedule = schedules[row["schedule"]]
        names = {name: [people[key].pk for key in row[name]] for name in ("add", "remove")}
        add_override(
            schedule,
            starts_at=begins,
            ends_at=begins + span(row["lasts"]),
            by=people["ada"],
            now=now,
            comment=row["comment"],
            **names,
        )
    for row in content["note"]:
        write_note(schedules[row["schedule"]], text=row["text"], by=people[row["author"]], now=now)
    ids = {"schedule": schedules, "user": people, "team": teams}
    for row in content["policy"]:
        _policy(row, ids, teams)


def page(now: dt.datetime) -> None:
    """Leave the history unannounced, and page for what nobody has acknowledged."""
    IncidentEvent.objects.waiting_for_feed().update(feed_seq=0)
    start_for(Incident.objects.filter(status=Status.OPEN).values_list("pk", flat=True), database_now())
    perform_due()


def _reachable(user: User, now: dt.datetime) -> None:
    ContactMethod.objects.create(
        user=user,
        kind="email",
        address=user.email,
        address_key=address_key("email", user.email),
        state=MethodState.OK,
        verified_at=now,
    )


def _schedule(row: Values, people: Mapping[str, User], teams: Mapping[str, Team], now: dt.datetime) -> Schedule:
    monday = (now - BEGAN).date() - dt.timedelta(days=(now - BEGAN).weekday())
    return create_schedule(
        name=row["name"],
        team=teams[row["team"]],
        time_zone=row["time_zone"],
        holidays=row.get("region", ""),
        layers=[_layer(layer, people, monday) for layer in row["layers"]],
        now=now,
        by=people["ada"],
    )


def _layer(row: Values, people: Mapping[str, User], monday: dt.date) -> Values:
    weekday = row.get("weekday")
    hours = [{"weekdays": row["weekdays"], "from": row["from"], "to": row["to"]}] if "from" in row else []
    return {
        "name": row["name"],
        "users": [[people[key].pk for key in turn] for turn in row["turns"]],
        "rotation": {"unit": row["unit"], "every": 1},
        "starts_at": f"{monday + dt.timedelta(days=weekday or 0)}T{row['time']}:00",
        "hand_over": {"time": row["time"], "weekday": weekday},
        "advance": row.get("advance", "calendar"),
        "restrictions": hours,
    }


def _policy(row: Values, ids: Mapping[str, Mapping[str, Any]], teams: Mapping[str, Team]) -> None:
    policy = EscalationPolicy(
        name=row["name"],
        team=teams.get(row.get("team", "")),
        is_default=row.get("is_default", False),
        repeat=row.get("repeat", 0),
        reack_minutes=row.get("reack_minutes"),
        steps=[_step(step, ids) for step in row["steps"]],
        on_exhausted=[{"kind": "user", "id": ids["user"][row["on_exhausted"]].pk}],
    )
    policy.full_clean()
    policy.save()
    keep_targets(policy)


def _step(row: Values, ids: Mapping[str, Mapping[str, Any]]) -> Values:
    targets = [{"kind": kind, "id": known[row[kind]].pk} for kind, known in ids.items() if kind in row]
    return {
        "delay_minutes": row["delay_minutes"],
        "targets": targets,
        "strategy": row.get("strategy", "all"),
        "if_empty": row.get("if_empty", "skip"),
        "needs_acks": 1,
    }
