"""How the fields of an incident are written into events, and read back from them.

An event's `data.changes` is {field: [from, to]} in the words of the API: severity "critical", times ISO 8601 UTC, team
and people as {id, name} (so that a later renaming does not change what happened), services as a list of slugs.
Folding the changes of all events up to a moment gives the incident as it stood then.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from core.severity import Priority, Severity
from incidents.models import Incident

Changes = dict[str, list[Any]]


def _plain(value: Any) -> Any:
    return value


def _time(value: dt.datetime | None) -> str | None:
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if value else None


def _named(value: Any) -> dict[str, Any] | None:
    return {"id": value.pk, "name": str(value)} if value else None


def _slug(value: Any) -> str | None:
    return value.slug if value else None


ENCODERS: dict[str, Callable[[Any], Any]] = {
    "title": _plain,
    "description": _plain,
    "status": str,
    "severity": lambda value: Severity(value).word,
    "priority": lambda value: Priority(value).word,
    "category": _slug,
    "location": _plain,
    "team": _named,
    "assignee": _named,
    "reporter": _named,
    "is_restricted": _plain,
    "occurred_at": _time,
    "created_at": _time,
    "acknowledged_at": _time,
    "resolved_at": _time,
    "closed_at": _time,
    "deleted_at": _time,
    "reopen_count": _plain,
    "ack_due_at": _time,
    "resolve_due_at": _time,
    "ack_breached": _plain,
    "resolve_breached": _plain,
    "paused_at": _time,
    "origin_system": _plain,
}


def encode(field: str, value: Any) -> Any:
    """A column's value in the words of the API."""
    return ENCODERS[field](value)


def initial_changes(incident: Incident, service_slugs: Iterable[str]) -> Changes:
    """The first event's changes: every field that starts with a value, from nothing."""
    changes = {field: [None, encode(field, getattr(incident, field))] for field in ENCODERS}
    changes["services"] = [None, sorted(service_slugs)]
    return {field: pair for field, pair in changes.items() if pair[1] not in (None, "", [], False, 0)}


def fold(all_changes: Iterable[Changes]) -> dict[str, Any]:
    """The fields' values after these changes, in order."""
    state: dict[str, Any] = dict.fromkeys(ENCODERS)
    state |= {"title": "", "description": "", "location": "", "services": [], "is_restricted": False}
    state |= {"reopen_count": 0, "ack_breached": False, "resolve_breached": False}
    for changes in all_changes:
        state |= {field: pair[1] for field, pair in changes.items()}
    return state
