"""Hide the restricted incidents that a timeline names from readers who do not see them, on every read."""

import re
from collections.abc import Iterable
from typing import Any

from incidents.models import EventKind, Incident
from users.models import User

NAMING = ("incident", "to", "from", "of", "original", "duplicate")
REFERENCE = re.compile(r"^INC-(\d{1,18})$")
DUPLICATE_NOTE = re.compile(r"^Duplicate of (INC-\d{1,18})\.$")
# Nothing is left of these without the other incident.
ABOUT_ANOTHER = frozenset(
    {EventKind.LINKED, EventKind.UNLINKED, EventKind.ACCESS_GRANTED, EventKind.FOLLOWERS_LEFT},
)

Facts = tuple[str, dict[str, Any], str]  # kind, data and body


def hidden_references(viewer: User, events: Iterable[Facts]) -> frozenset[str]:
    """Return the references in the events that the viewer must not see."""
    if viewer.is_admin:
        return frozenset()
    named = {name for _, data, body in events for name in _named_in(data, body)}
    numbers = [int(name.removeprefix("INC-")) for name in named]
    restricted = set(Incident.objects.filter(pk__in=numbers, is_restricted=True).values_list("pk", flat=True))
    if not restricted:
        return frozenset()
    seen = set(Incident.objects.visible_to(viewer).filter(pk__in=restricted).values_list("pk", flat=True))
    return frozenset(f"INC-{number}" for number in restricted - seen)


def strip_hidden(event: Facts, hidden: frozenset[str]) -> Facts | None:
    """Return the event without hidden references, or None where nothing is left."""
    kind, data, body = event
    if hidden.isdisjoint(_named_in(data, body)):
        return event
    if kind in ABOUT_ANOTHER:
        return None
    visible = {name: value for name, value in data.items() if name not in NAMING or value not in hidden}
    note = DUPLICATE_NOTE.match(body)
    return kind, visible, "Duplicate." if note and note.group(1) in hidden else body


def _named_in(data: dict[str, Any], body: str) -> list[str]:
    names = [str(data[name]) for name in NAMING if REFERENCE.match(str(data.get(name, "")))]
    note = DUPLICATE_NOTE.match(body)
    return [*names, note.group(1)] if note else names
