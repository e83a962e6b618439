"""Builders for tests."""

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from assistant.models import RoutingModel
from assistant.services import learning, routing_records
from core.severity import Severity
from incidents.models import Category, Incident, Origin
from incidents.services import NewIncident, feed, open_incident
from incidents.services.lifecycle import resolve
from responders.models import Team
from users.models import User

Story = tuple[str, Team, Category | None, Severity]


def make_history(stories: Sequence[Story], *, admin: User, times: int = 20) -> list[Incident]:
    """Resolved incidents of a day ago: each story so many times, in turn."""
    at = timezone.now() - dt.timedelta(days=1)
    made = []
    for turn in range(times):
        for title, team, category, severity in stories:
            new = NewIncident(title=f"{title} {turn}", team=team, category=category, severity=severity)
            incident = open_incident(new, by=admin, origin=Origin.API, at=at)
            resolve(incident, by=admin)
            made.append(incident)
    return made


def train() -> RoutingModel | None:
    return learning.train_now(timezone.now())


def read_feed() -> None:
    """Store and compare suggestions."""
    while feed.assign_places():
        pass
    while routing_records.follow():
        pass
