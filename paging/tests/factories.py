"""Builders for tests."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest import mock

from django.db.models import Model

from core.severity import Severity
from incidents.models import Incident
from incidents.services import feed
from incidents.tests.factories import make_incident
from paging.models import EscalationRun, Page
from paging.services import performing, starting
from responders.models import EscalationPolicy, Schedule
from responders.services.policies import keep_targets
from responders.tests.schedules import layer, make_schedule
from users.models import User

MODULES = ("performing", "starting", "auditing", "by_hand")
_numbers = count(1)


def target(row: Model) -> dict[str, Any]:
    """A target of a policy: a schedule, team or person."""
    return {"kind": str(row._meta.model_name), "id": row.pk}


def step(*targets: Model, delay: int = 0, **more: Any) -> dict[str, Any]:
    """A step as it is stored."""
    return {"delay_minutes": delay, "targets": [target(row) for row in targets], **more}


def make_escalation(*steps: dict[str, Any], **fields: Any) -> EscalationPolicy:
    """An escalation policy, the default one unless told otherwise."""
    exhausted = [target(row) for row in fields.pop("on_exhausted", ())]
    policy = EscalationPolicy.objects.create(
        **{
            "name": f"Escalation {next(_numbers)}",
            "steps": list(steps),
            "on_exhausted": exhausted,
            "is_default": "team" not in fields,
            **fields,
        }
    )
    keep_targets(policy)
    return policy


def rota(*people: User, name: str = "Primary", **fields: Any) -> Schedule:
    """A schedule with these people at once, at any time."""
    turns = [list(people)] if people else []
    layers = [layer(*turns, name="Weekdays", rotation={"unit": "weeks", "every": 1})] if turns else []
    return make_schedule(*layers, name=name, **fields)


def critical(**fields: Any) -> Incident:
    return make_incident(**{"severity": Severity.CRITICAL, **fields})


@contextmanager
def clock(at: dt.datetime) -> Iterator[None]:
    """Have the database say this time."""
    with mock.patch("core.db.clock.database_now", return_value=at):
        patches = [mock.patch(f"paging.services.{name}.database_now", return_value=at) for name in MODULES]
        started = []
        try:
            for patch in patches:
                patch.start()
                started.append(patch)
            yield
        finally:
            for patch in started:
                patch.stop()


def run_jobs(at: dt.datetime) -> None:
    """Do all that is due at a time, as the worker's jobs do."""
    with clock(at):
        feed.assign_places()
        starting.follow_feed()
        performing.perform_due()


def run_of(incident: Incident) -> EscalationRun:
    """The newest escalation of an incident."""
    return EscalationRun.objects.filter(incident=incident).latest("pk")


def paged(incident: Incident) -> list[str]:
    """Who was paged for an incident, in order."""
    return [page.target_name for page in Page.objects.filter(incident=incident).order_by("pk")]


def told(incident: Incident) -> list[str]:
    """What escalation wrote on the timeline."""
    return [event.data["text"] for event in incident.events.order_by("seq") if "text" in event.data]
