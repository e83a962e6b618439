"""Builders for tests."""

import datetime as dt
from typing import Any

from django.utils import timezone

from incidents.models import Category, Incident, Origin, SlaPolicy
from incidents.services import NewIncident, open_incident
from incidents.snapshot import replay_changes
from responders.models import Membership, Service, Team
from users.models import User
from users.tests.factories import make_reporter

# Within business hours, and far from any change of clocks.
MONDAY = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)


def make_team(name: str = "Database", *members: User) -> Team:
    """A team with these members."""
    team, _ = Team.objects.get_or_create(name=name)
    Membership.objects.bulk_create(Membership(team=team, user=user) for user in members)
    return team


def make_service(slug: str = "payments", *, team: Team | None = None) -> Service:
    return Service.objects.create(name=slug.capitalize(), slug=slug, team=team)


def make_category(slug: str = "network", *, default_team: Team | None = None) -> Category:
    return Category.objects.create(name=slug.capitalize(), slug=slug, default_team=default_team)


def make_policy(**fields: Any) -> SlaPolicy:
    """The policy of its severity, changed to these values."""
    severity = fields.pop("severity")
    policy, _ = SlaPolicy.objects.update_or_create(
        severity=severity, category=fields.pop("category", None), defaults={"name": f"Policy {severity}", **fields}
    )
    return policy


def report(*, by: User | None, origin: str = Origin.API, at: dt.datetime | None = None, **fields: Any) -> Incident:
    """An incident of these fields, as the service opens it."""
    return open_incident(NewIncident(**fields), by=by, origin=origin, at=at)


def make_incident(*, by: User | None = None, title: str = "Checkout is down", **fields: Any) -> Incident:
    """An incident reported by `by` (a new reporter when None), as the service makes it."""
    return report(by=by or make_reporter(), title=title, **fields)


def minutes_ago(minutes: float) -> Any:
    return timezone.now() - dt.timedelta(minutes=minutes)


def minutes(number: float) -> dt.timedelta:
    return dt.timedelta(minutes=number)


def kinds_of(incident: Incident) -> list[str]:
    """The kinds of the incident's events, in order."""
    return list(incident.events.order_by("seq").values_list("kind", flat=True))


def folded(incident: Incident) -> dict[str, Any]:
    """The fields of the incident as its stored events tell them."""
    return replay_changes(event.data.get("changes", {}) for event in incident.events.order_by("seq"))
