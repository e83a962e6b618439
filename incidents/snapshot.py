"""Write the fields of an incident into events, and read them back.

`data.changes` is {field: [from, to]} in the words of the API; teams and people are {id, name}, so that renaming does
not change the past.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from core.severity import WORD_OF_PRIORITY, WORD_OF_SEVERITY
from incidents.models import Incident
from responders.models import Team
from users.models import User

Changes = dict[str, list[Any]]


def _time(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _reference(value: Team | User) -> dict[str, Any]:
    return {"id": value.pk, "name": value.name}


# None where values are plain already.
ENCODERS: dict[str, Callable[[Any], Any] | None] = {
    "title": None,
    "description": None,
    "status": str,
    "severity": WORD_OF_SEVERITY.__getitem__,
    "priority": WORD_OF_PRIORITY.__getitem__,
    "category": attrgetter("slug"),
    "location": None,
    "team": _reference,
    "assignee": _reference,
    "reporter": _reference,
    "is_restricted": None,
    "occurred_at": _time,
    "created_at": _time,
    "acknowledged_at": _time,
    "resolved_at": _time,
    "closed_at": _time,
    "deleted_at": _time,
    "reopen_count": None,
    "ack_due_at": _time,
    "resolve_due_at": _time,
    "ack_breached": None,
    "resolve_breached": None,
    "paused_at": _time,
    "origin_system": None,
}


def encode_field(field: str, value: Any) -> Any:
    """Return a column's value in the words of the API."""
    encoder = ENCODERS[field]
    return value if value is None or encoder is None else encoder(value)


def initial_changes(incident: Incident, service_slugs: Iterable[str]) -> Changes:
    """Return the first event's changes."""
    changes: Changes = {}
    for field, encoder in ENCODERS.items():
        if value := getattr(incident, field):
            changes[field] = [None, encoder(value) if encoder else value]
    slugs = sorted(service_slugs)
    return {**changes, "services": [None, slugs]} if slugs else changes


def replay_changes(all_changes: Iterable[Changes]) -> dict[str, Any]:
    """Return the fields after these changes."""
    state: dict[str, Any] = dict.fromkeys(ENCODERS)
    state |= {"title": "", "description": "", "location": "", "services": [], "is_restricted": False}
    state |= {"reopen_count": 0, "ack_breached": False, "resolve_breached": False}
    for changes in all_changes:
        state |= {field: pair[1] for field, pair in changes.items()}
    return state
