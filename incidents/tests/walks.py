"""Random walks: long sequences of whatever people do to incidents, for tests of what must hold after any of them."""

import datetime as dt
import random
from typing import Any

from core.errors import DomainError
from core.severity import Priority, Severity
from incidents import services
from incidents.models import Category, Incident, Status
from incidents.services.breaches import mark_breach
from incidents.tests import factories
from incidents.tests.factories import MONDAY
from responders.models import Service, Team
from users.models import User
from users.tests.factories import make_admin, make_responder


class Walk:
    """Does one random thing after another to incidents, at times that only move forward."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = MONDAY
        self.by = make_admin()
        self.people: list[User | None] = [None, make_responder(), make_responder()]
        self.teams = [None, *(Team.objects.get_or_create(name=name)[0] for name in ("Network", "Storage"))]
        self.services = [Service.objects.get_or_create(name=slug, slug=slug)[0] for slug in ("db", "web", "pay")]
        self.categories = [None, Category.objects.get_or_create(name="Power", slug="power")[0]]

    def report(self) -> Incident:
        return factories.report(
            by=self.by,
            title=f"Incident {self.random.random()}",
            severity=self.random.choice(list(Severity)),
            category=self.random.choice(self.categories),
            team=self.random.choice(self.teams),
            services=self.random.sample(self.services, self.random.randrange(3)),
            is_restricted=self.random.random() < 0.1,
            at=self.now,
        )

    def step(self, incident: Incident, *, with_deletion: bool = False) -> None:
        """One act; those that the incident's state does not allow are refused, and change nothing."""
        self.now += dt.timedelta(minutes=self.random.choice([1, 7, 60, 600]))
        acts = [self._move, self._move, self._edit, self._edit, self._comment, self._follow, self._breach, self._redact]
        if with_deletion:
            acts.append(self._delete_or_restore)
        try:
            self.random.choice(acts)(incident)
        except DomainError:
            pass

    def _move(self, incident: Incident) -> None:
        note = self.random.choice(["", "because"])
        services.transition(incident, self.random.choice(list(Status)), by=self.by, note=note, at=self.now)

    def _edit(self, incident: Incident) -> None:
        offered: dict[str, Any] = {
            "title": self.random.choice(["One", "Two"]),
            "description": self.random.choice(["", "Some words"]),
            "location": self.random.choice(["", "Bern"]),
            "is_restricted": self.random.random() < 0.3,
            "occurred_at": self.now,
            "severity": self.random.choice(list(Severity)),
            "priority": self.random.choice([None, *Priority]),
            "category": self.random.choice(self.categories),
            "team": self.random.choice(self.teams),
            "assignee": self.random.choice(self.people),
            "services": self.random.sample(self.services, self.random.randrange(4)),
        }
        names = self.random.sample(sorted(offered), self.random.randrange(1, 4))
        status = self.random.choice([None, None, *Status])
        fields = {name: offered[name] for name in names}
        services.update(incident, by=self.by, fields=fields, status=status, note="so", at=self.now)

    def _comment(self, incident: Incident) -> None:
        visibility = self.random.choice(["public", "internal"])
        services.comment(incident, "A word", by=self.by, visibility=visibility, at=self.now)

    def _follow(self, incident: Incident) -> None:
        person = self.random.choice(self.people[1:])
        assert person is not None
        self.random.choice([services.subscribe, services.unsubscribe])(incident, person, by=self.by)

    def _breach(self, incident: Incident) -> None:
        mark_breach(incident.pk, self.now)

    def _redact(self, incident: Incident) -> None:
        if self.random.random() < 0.2:
            event = self.random.choice(list(incident.events.all()))
            services.redact(event, by=self.by)

    def _delete_or_restore(self, incident: Incident) -> None:
        self.random.choice([services.delete, services.restore])(incident, by=self.by)
