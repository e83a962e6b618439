"""The organisation behind the made-up incidents: teams, services, categories, responders, reporters."""

import datetime as dt
from importlib import import_module
from itertools import count
from typing import Any

from benchmarks.incidents.tables import Table
from incidents.models import Category, SlaPolicy
from responders.models import Membership, Service, Team
from users.models import Role, User

TEAMS, CATEGORIES, SERVICES, RESPONDERS, REPORTERS = 40, 30, 200, 300, 5_000
FOUNDED_AT = dt.datetime(2023, 10, 1, tzinfo=dt.UTC)

ADMIN_ID = 1
RESPONDER_IDS = range(2, 2 + RESPONDERS)
REPORTER_IDS = range(2 + RESPONDERS, 2 + RESPONDERS + REPORTERS)

FIRST_NAMES = [
    "Ada",
    "Boris",
    "Chloe",
    "Deniz",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Liam",
    "Mara",
    "Nils",
    "Olga",
    "Pavel",
]
LAST_NAMES = [
    "Amsler",
    "Brunner",
    "Costa",
    "Duarte",
    "Egger",
    "Fischer",
    "Garcia",
    "Huber",
    "Ito",
    "Jansen",
    "Keller",
    "Lang",
    "Meier",
    "Novak",
    "Ott",
]


def team_ids_of(responder_id: int) -> list[int]:
    """Everybody is in one team, every third responder in two."""
    place = responder_id - RESPONDER_IDS.start
    first = place % TEAMS + 1
    return [first, (first + 6) % TEAMS + 1] if place % 3 == 0 else [first]


def members_of(team_id: int) -> list[int]:
    """The ids of a team's responders."""
    return [pk for pk in RESPONDER_IDS if team_id in team_ids_of(pk)]


def team_of_service(service_id: int) -> int:
    """The team that answers for a service."""
    return service_id % TEAMS + 1


def users() -> list[User]:
    """Everybody, with ids; nobody can sign in with a password."""
    people = [(ADMIN_ID, Role.ADMIN)]
    people += [(pk, Role.RESPONDER) for pk in RESPONDER_IDS] + [(pk, Role.REPORTER) for pk in REPORTER_IDS]
    return [
        User(
            pk=pk,
            email=f"{role}{pk}@example.com",
            name=f"{FIRST_NAMES[pk % len(FIRST_NAMES)]} {LAST_NAMES[pk % len(LAST_NAMES)]} {pk}",
            role=str(role),
            password="!",
            created_at=FOUNDED_AT,
        )
        for pk, role in people
    ]


def teams() -> dict[int, Team]:
    """Teams by id."""
    return {pk: Team(pk=pk, name=f"Team {pk:02}", created_at=FOUNDED_AT) for pk in range(1, TEAMS + 1)}


def categories() -> dict[int, Category]:
    """Categories by id."""
    return {
        pk: Category(pk=pk, name=f"Category {pk:02}", slug=f"category-{pk:02}", default_team_id=pk)
        for pk in range(1, CATEGORIES + 1)
    }


def services() -> dict[int, Service]:
    """Services by id."""
    return {
        pk: Service(
            pk=pk,
            name=f"Service {pk:03}",
            slug=f"service-{pk:03}",
            team_id=team_of_service(pk),
            created_at=FOUNDED_AT,
        )
        for pk in range(1, SERVICES + 1)
    }


def memberships() -> list[Membership]:
    """Who is in which team."""
    numbers = count(1)
    return [
        Membership(pk=next(numbers), team_id=team_id, user_id=pk, created_at=FOUNDED_AT)
        for pk in RESPONDER_IDS
        for team_id in team_ids_of(pk)
    ]


def policies() -> dict[int, dict[str, Any]]:
    """By severity: the values of the policies that the migrations make."""
    rows = import_module("incidents.migrations._sla_policies").POLICIES
    return {
        severity: SlaPolicy(
            name=name, severity=severity, ack_minutes=ack_minutes, resolve_minutes=resolve_minutes
        ).snapshot()
        for name, severity, ack_minutes, resolve_minutes in rows
    }


def lines() -> dict[type, list[str]]:
    """All of it, as rows of each table, in the order in which they refer to one another."""
    rows: dict[type, Any] = {
        User: users(),
        Team: teams().values(),
        Membership: memberships(),
        Category: categories().values(),
        Service: services().values(),
    }
    return {model: [Table(model).line_of(row) for row in made] for model, made in rows.items()}
