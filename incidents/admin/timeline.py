"""Describe timeline events for the admin."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.backoffice.base import exactly
from core.text.sentences import shown
from incidents.kinds import label_of
from incidents.models import EventKind, Incident, IncidentEvent, LinkKind
from incidents.naming import hidden_references, strip_hidden
from users.models import User

PAGE_SIZE = 100
# Fields that the event's kind implies.
UNTRACKED = frozenset(
    {
        "ack_breached",
        "resolve_breached",
        "status",
        "paused_at",
        "acknowledged_at",
        "resolved_at",
        "closed_at",
        "deleted_at",
    }
)
REDACTABLE = frozenset({"title", "description", "location"})
# The other end of a link that was made there.
SEEN_FROM_THERE = {
    LinkKind.DUPLICATE_OF: gettext_lazy("%(incident)s is a duplicate of this incident"),
    LinkKind.RELATED_TO: gettext_lazy("%(incident)s is related to this incident"),
    LinkKind.CAUSED_BY: gettext_lazy("%(incident)s was caused by this incident"),
}


@dataclass(frozen=True)
class Line:
    """An event as shown."""

    event: IncidentEvent
    label: str
    changes: list[str]

    @property
    def at(self) -> str:
        return exactly(self.event.occurred_at)

    @property
    def is_redactable(self) -> bool:
        """Return whether it holds a text."""
        if self.event.redacted_at is not None or self.event.kind == EventKind.REDACTED:
            return False
        texts = REDACTABLE & set(self.event.data.get("changes", {}))
        return bool(self.event.body or texts or "name" in self.event.data)


def timeline_lines(incident: Incident, viewer: User, *, before: int | None = None) -> tuple[list[Line], int | None]:
    """Return up to PAGE_SIZE events (before number `before`), newest first, and where to continue."""
    events: QuerySet[IncidentEvent] = IncidentEvent.objects.readable_by(viewer).filter(incident=incident)
    if before is not None:
        events = events.filter(seq__lt=before)
    found = list(events.order_by("-seq")[: PAGE_SIZE + 1])
    rest = found[PAGE_SIZE - 1].seq if len(found) > PAGE_SIZE else None
    return [timeline_line(event) for event in _hide_references(found[:PAGE_SIZE], viewer)], rest


def _hide_references(events: list[IncidentEvent], viewer: User) -> list[IncidentEvent]:
    """Return the events without hidden incidents; not to be saved."""
    hidden = hidden_references(viewer, [(event.kind, event.data, event.body) for event in events])
    readable = []
    for event in events:
        shown = strip_hidden((event.kind, event.data, event.body), hidden)
        if shown is not None:
            event.data, event.body = shown[1:]
            readable.append(event)
    return readable


def timeline_line(event: IncidentEvent) -> Line:
    changes = event.data.get("changes", {})
    is_first = event.kind == EventKind.CREATED
    tracked = (
        [] if is_first else [_describe_change(name, pair) for name, pair in changes.items() if name not in UNTRACKED]
    )
    return Line(event, label_of(event.kind), tracked + list(_describe_facts(event.data)))


def _describe_change(name: str, pair: list[Any]) -> str:
    label = capfirst(name.removeprefix("is_").removesuffix("_at").replace("_", " "))
    if name == "description":
        return _("%(field)s changed") % {"field": label}
    before, after = (_format_value(value) for value in pair)
    return f"{label}: {before} → {after}"


def _format_value(value: Any) -> str:
    if value in (None, "", []):
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return str(value.get("name", value))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    moment = parse_datetime(value) if isinstance(value, str) and value.endswith("Z") and len(value) >= 19 else None
    return exactly(moment) if moment else str(value)


def _describe_link(data: dict[str, Any]) -> str:
    kind = str(data.get("link", ""))
    if data.get("is_from_there") and kind in SEEN_FROM_THERE:
        return str(SEEN_FROM_THERE[LinkKind(kind)]) % {"incident": data["incident"]}
    return f"{kind.replace('_', ' ').capitalize()} {data['incident']}"


def _describe_access(data: dict[str, Any]) -> Iterable[str]:
    if "users" in data:
        names = ", ".join(str(user.get("name", "")) for user in data["users"])
        towards = f"to {data['original']}" if "original" in data else f"from {data.get('duplicate', '')}"
        yield f"{names}, {towards}"
    elif "of" in data:
        yield _("Contents of %(incident)s") % {"incident": data["of"]}
    elif "to" in data and "alert" not in data:
        yield _("To everybody with access to %(incident)s") % {"incident": data["to"]}


def _describe_facts(data: dict[str, Any]) -> Iterable[str]:
    if "incident" in data:
        yield _describe_link(data)
    yield from _describe_access(data)
    if isinstance(data.get("alert"), dict):
        yield str(data["alert"].get("title", ""))
    if isinstance(data.get("user"), dict):
        yield str(data["user"].get("name", ""))
    for name in ("name", "runbook"):
        if isinstance(data.get(name), str):
            yield data[name]
    if isinstance(data.get("text"), str):
        yield shown(data["text"])
    if "seq" in data:
        yield _("Event #%(number)s") % {"number": data["seq"]} + (f": {data['reason']}" if data.get("reason") else "")
