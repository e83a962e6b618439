"""The people, teams, schedules, policies and incidents that are measured; inside Django (see `benchmarks.inside`)."""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils import timezone

from benchmarks.intake import steps
from core.actor import acting
from core.severity import Severity
from incidents.models import EventKind, Incident, IncidentEvent, Origin
from incidents.services import NewIncident, open_many
from notifications.channels.webhook.channel import new_data
from notifications.models import ContactMethod
from notifications.services.methods import address_key
from notifications.vocabulary import MethodState
from responders.models import EscalationPolicy, Membership, Schedule, ScheduleOverride, ScheduleVersion, Team
from responders.services.policies import keep_targets
from users.models import Role, User

OF_TEAM = 8  # people
LAYERS = 5
BATCH = 100


def people(number: str, kind: str = "email", port: str = "0", name: str = "bench") -> list[int]:
    """Make teams of people with one method each, who are paged in turn; return the teams.

    Incidents go to the teams in turn, so that up to `number` of them page nobody twice.
    """
    count = math.ceil(int(number) / OF_TEAM) * OF_TEAM if int(number) > 1 else 1
    users = User.objects.bulk_create(
        User(email=f"{name}{one}@bench.example", name=f"{name.title()} {one}", role=Role.RESPONDER, password="!")
        for one in range(count)
    )
    ContactMethod.objects.bulk_create(_method(user, kind, port) for user in users)
    teams = Team.objects.bulk_create(Team(name=f"{name} {one}") for one in range(math.ceil(count / OF_TEAM)))
    Membership.objects.bulk_create(
        Membership(team=teams[place // OF_TEAM], user=user) for place, user in enumerate(users)
    )
    for team in teams:
        _policy(team, {"kind": "team", "id": team.pk}, strategy="round_robin")
    return [team.pk for team in teams]


def _method(user: User, kind: str, port: str) -> ContactMethod:
    address = user.email if kind == "email" else f"http://127.0.0.1:{port}/{user.pk}"
    return ContactMethod(
        user=user,
        kind=kind,
        address=address,
        address_key=address_key(kind, address),
        state=MethodState.OK,
        data=new_data() if kind == "webhook" else {},
    )


def _policy(team: Team, target: dict[str, Any], *, delay: int = 0, **more: Any) -> None:
    step = {"delay_minutes": delay, "targets": [target], "strategy": "all", **more}
    policy = EscalationPolicy.objects.create(name=f"Of {team.name}", steps=[step], wait_minutes=600)
    with acting(None):
        keep_targets(policy)
    team.escalation_policy = policy
    team.save(update_fields=["escalation_policy"])


def on_schedules(teams: str, delay: str = "0") -> list[int]:
    """Make teams whose schedule of five layers is paged, after so many minutes; return them."""
    made = []
    for number in range(int(teams)):
        users = User.objects.bulk_create(
            User(email=f"rota{number}-{one}@bench.example", name=f"Rota {number}.{one}", role=Role.RESPONDER)
            for one in range(LAYERS)
        )
        ContactMethod.objects.bulk_create(_method(user, "email", "") for user in users)
        team = Team.objects.create(name=f"Rota {number}")
        schedule = _schedule(team, users)
        _policy(team, {"kind": "schedule", "id": schedule.pk}, delay=int(delay))
        made.append(team.pk)
    return made


def _schedule(team: Team | None, users: Sequence[User], name: str = "") -> Schedule:
    schedule = Schedule.objects.create(name=name or f"Schedule {team}", team=team, time_zone="Europe/Zurich")
    layers = [
        {
            "name": f"Layer {number}",
            "users": [[user.pk] for user in users],
            "rotation": {"unit": "weeks", "every": 1},
            "starts_at": "2026-01-05T09:00:00",
            "hand_over": {"time": "09:00", "weekday": 0},
            "advance": "calendar",
            "restrictions": [],
            "first_turn": number,
        }
        for number in range(LAYERS)
    ]
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    ScheduleVersion.objects.create(schedule=schedule, effective_from=long_ago, time_zone="Europe/Zurich", layers=layers)
    return schedule


def schedules(number: str) -> None:
    """Make schedules of five layers, each with an override a day for a year."""
    users = [User.objects.create(email=f"rota{one}@bench.example", name=f"Rota {one}") for one in range(LAYERS)]
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for one in range(int(number)):
        schedule = _schedule(None, users, name=f"Schedule {one}")
        ScheduleOverride.objects.bulk_create(
            ScheduleOverride(
                schedule=schedule,
                starts_at=today + dt.timedelta(days=day, hours=10),
                ends_at=today + dt.timedelta(days=day, hours=12),
                layer=f"Layer {day % LAYERS}",
                add=[users[day % LAYERS].pk],
            )
            for day in range(-182, 183)
        )


def token() -> str:
    """Return an administrator's access token; the account gets no mail."""
    return steps.token()


def open_incidents(first: str, number: str, *teams: str) -> int:
    """Open incidents, of the teams in turn; those that exist already are left alone."""
    known = set(Incident.objects.filter(title__startswith="page ").values_list("title", flat=True))
    found = Team.objects.in_bulk([int(team) for team in teams])
    new = [
        NewIncident(title=title, severity=Severity.CRITICAL, team=found[int(teams[one % len(teams)])])
        for one in range(int(first), int(first) + int(number))
        if (title := f"page {one}") not in known
    ]
    for some in _batches(new):
        open_many(some, by=None, origin=Origin.API)
    return len(new)


def _batches(new: list[NewIncident]) -> Iterator[list[NewIncident]]:
    return (new[start : start + BATCH] for start in range(0, len(new), BATCH))


def opened() -> dict[int, dt.datetime]:
    """Return when each incident's first event was received."""
    created = IncidentEvent.objects.filter(kind=EventKind.CREATED)
    return dict(created.values_list("incident_id", "received_at"))
