"""What a timeline says, as sentences for the pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst

from core.backoffice.base import exactly
from incidents.kinds import label_of
from incidents.models import EventKind, Incident, IncidentEvent, LinkKind
from incidents.naming import hidden_references, strip_hidden
from users.models import User

SHOWN = 100
# Fields whose change the event's name tells already.
SILENT = frozenset({"status", "paused_at", "acknowledged_at", "resolved_at", "closed_at", "deleted_at"})
REDACTABLE = frozenset({"title", "description", "location"})
# What the incident at the other end of a link is to this one, when the link was made there.
SEEN_FROM_THERE = {
    LinkKind.DUPLICATE_OF: "is a duplicate of this",
    LinkKind.RELATED_TO: "is related to this",
    LinkKind.CAUSED_BY: "was caused by this",
}


@dataclass(frozen=True)
class Line:
    """An event as the page shows it."""

    event: IncidentEvent
    label: str
    changes: list[str]

    @property
    def at(self) -> str:
        """When it happened."""
        return exactly(self.event.occurred_at)

    @property
    def is_redactable(self) -> bool:
        """Whether there is a text in it that could be taken out."""
        if self.event.redacted_at is not None or self.event.kind == EventKind.REDACTED:
            return False
        texts = REDACTABLE & set(self.event.data.get("changes", {}))
        return bool(self.event.body or texts or "name" in self.event.data)


def lines_of(incident: Incident, viewer: User, *, before: int | None = None) -> tuple[list[Line], int | None]:
    """The newest SHOWN events (older than number `before`), newest first, and the number to go on from, if any."""
    events: QuerySet[IncidentEvent] = IncidentEvent.objects.readable_by(viewer).filter(incident=incident)
    if before is not None:
        events = events.filter(seq__lt=before)
    found = list(events.order_by("-seq")[: SHOWN + 1])
    rest = found[SHOWN - 1].seq if len(found) > SHOWN else None
    return [line_of(event) for event in _readable(found[:SHOWN], viewer)], rest


def _readable(events: list[IncidentEvent], viewer: User) -> list[IncidentEvent]:
    """The events without what names an incident that the viewer must not know of; not to be saved."""
    hidden = hidden_references(viewer, [(event.kind, event.data, event.body) for event in events])
    readable = []
    for event in events:
        told = strip_hidden((event.kind, event.data, event.body), hidden)
        if told is not None:
            event.data, event.body = told[1:]
            readable.append(event)
    return readable


def line_of(event: IncidentEvent) -> Line:
    """One event, told."""
    changes = event.data.get("changes", {})
    is_first = event.kind == EventKind.CREATED
    told = [] if is_first else [_change(name, pair) for name, pair in changes.items() if name not in SILENT]
    return Line(event, label_of(event.kind), told + list(_facts(event.data)))


def _change(name: str, pair: list[Any]) -> str:
    label = capfirst(name.removeprefix("is_").removesuffix("_at").replace("_", " "))
    if name == "description":
        return f"{label} changed"
    before, after = (_shown(value) for value in pair)
    return f"{label}: {before} → {after}"


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return str(value.get("name", value))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    moment = parse_datetime(value) if isinstance(value, str) and value.endswith("Z") and len(value) >= 19 else None
    return exactly(moment) if moment else str(value)


def _relation(data: dict[str, Any]) -> str:
    kind = str(data.get("link", ""))
    if data.get("is_from_there") and kind in SEEN_FROM_THERE:
        return f"{data['incident']} {SEEN_FROM_THERE[LinkKind(kind)]}"
    return f"{kind.replace('_', ' ').capitalize()} {data['incident']}"


def _access(data: dict[str, Any]) -> Iterable[str]:
    """Who did, or did not, come to see which incident."""
    if "users" in data:
        names = ", ".join(str(user.get("name", "")) for user in data["users"])
        towards = f"to {data['original']}" if "original" in data else f"from {data.get('duplicate', '')}"
        yield f"{names}, {towards}"
    elif "of" in data:
        yield f"What {data['of']} held"
    elif "to" in data and "alert" not in data:
        yield f"To whoever sees {data['to']}"


def _facts(data: dict[str, Any]) -> Iterable[str]:
    if "incident" in data:
        yield _relation(data)
    yield from _access(data)
    if isinstance(data.get("alert"), dict):
        yield str(data["alert"].get("title", ""))
    if isinstance(data.get("user"), dict):
        yield str(data["user"].get("name", ""))
    if isinstance(data.get("name"), str):
        yield data["name"]
    if "seq" in data:
        yield f"Entry {data['seq']}" + (f": {data['reason']}" if data.get("reason") else "")
