"""Builders for tests."""

import datetime as dt
import itertools
import json
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.utils import timezone

from alerts.models import Alert, Route, Silence
from alerts.routing import alert_key
from alerts.services import enqueue, process_waiting
from alerts.updates import Action, AlertUpdate
from incidents.models import IncidentEvent
from intake.models import IntakeEvent, Source
from intake.services.sources import clear_cache, create_key
from intake.vocabulary import IntakeState

_numbers = itertools.count(1)


@dataclass
class Snapshot:
    """An alert at one moment, without a database."""

    status: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None = None
    ended_by: str = ""


def make_source(**fields: Any) -> Source:
    """A source of the kind `generic` unless told otherwise."""
    number = next(_numbers)
    return Source.objects.create(**{"name": f"Source {number}", "kind": "generic", "rate_limit": 1_000_000, **fields})


def make_key(source: Source) -> str:
    """A key of the source."""
    clear_cache()
    return create_key(source)[1]


def make_route(**fields: Any) -> Route:
    """A route that matches everything unless told otherwise."""
    number = next(_numbers)
    return Route.objects.create(**{"name": f"Route {number}", "position": number, **fields})


def make_silence(*matchers: tuple[str, str, str], **fields: Any) -> Silence:
    """A silence of the coming hour."""
    now = timezone.now()
    times = {"starts_at": now - dt.timedelta(minutes=1), "ends_at": now + dt.timedelta(hours=1)}
    return Silence.objects.create(matchers=matchers_of(*matchers), **{**times, **fields})


def matchers_of(*matchers: tuple[str, str, str]) -> list[dict[str, str]]:
    """Matchers as they are stored, from (name, op, value)."""
    return [{"name": name, "op": op, "value": value} for name, op, value in matchers]


def fire(source: Source, fingerprint: str = "a", *, at: dt.datetime | None = None, **facts: Any) -> Alert:
    """Have the source say that an alert fires, and work it off; the alert as it is then."""
    return receive(
        source, AlertUpdate(**{"title": f"{fingerprint} is broken", "fingerprint": fingerprint, **facts}), at=at
    )


def resolve(source: Source, fingerprint: str = "a", *, at: dt.datetime | None = None, **facts: Any) -> Alert:
    """Have the source say that an alert is over, and work it off."""
    update = AlertUpdate(
        **{"title": f"{fingerprint} is broken", "fingerprint": fingerprint, **facts, "action": Action.RESOLVE}
    )
    return receive(source, update, at=at)


def receive(source: Source, *updates: AlertUpdate, at: dt.datetime | None = None) -> Alert:
    """Put updates into the queue and work it off; the first one's alert."""
    enqueue(source, updates, at=at)
    process_waiting(at)
    if failed := IntakeEvent.objects.filter(state=IntakeState.FAILED).first():
        raise AssertionError(failed.reason)
    return Alert.objects.get(key=alert_key(source.pk, updates[0].identity))


def said(event: IncidentEvent) -> str:
    """What an event of the timeline says, and who said it."""
    return f"{event.actor_name}: {event.body}" if event.actor_name else event.body


def post_json(client: Client, path: str, body: Any, **headers: str) -> Any:
    """Post JSON as a sender does."""
    return client.post(path, data=json.dumps(body), content_type="application/json", headers=headers)
