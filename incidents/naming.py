"""Other incidents that a timeline names, taken out for readers who must not know of them: restricted ones they do not
see. What is restricted may change after the line was written, so that this is looked at when it is read."""

import re
from collections.abc import Iterable
from typing import Any

from incidents.models import EventKind, Incident
from users.models import User

NAMING = ("incident", "to", "from", "of", "original", "duplicate")
REFERENCE = re.compile(r"^INC-(\d{1,18})$")
DUPLICATE_NOTE = re.compile(r"^Duplicate of (INC-\d{1,18})\.$")
# What these say is about the other incident, so that nothing is left of them without it.
ABOUT_ANOTHER = frozenset(
    {EventKind.LINKED, EventKind.UNLINKED, EventKind.ACCESS_GRANTED, EventKind.FOLLOWERS_LEFT},
)

Facts = tuple[str, dict[str, Any], str]  # an event's kind, data and body


def hidden_from(viewer: User, events: Iterable[Facts]) -> frozenset[str]:
    """The references among those the events name that the viewer must not read."""
    if viewer.is_admin:
        return frozenset()
    named = {name for _, data, body in events for name in _named_in(data, body)}
    numbers = [int(name.removeprefix("INC-")) for name in named]
    restricted = set(Incident.objects.filter(pk__in=numbers, is_restricted=True).values_list("pk", flat=True))
    if not restricted:
        return frozenset()
    seen = set(Incident.objects.visible_to(viewer).filter(pk__in=restricted).values_list("pk", flat=True))
    return frozenset(f"INC-{number}" for number in restricted - seen)


def without_hidden(event: Facts, hidden: frozenset[str]) -> Facts | None:
    """The event as somebody may read it to whom these references are hidden; None where nothing is left of it."""
    kind, data, body = event
    if hidden.isdisjoint(_named_in(data, body)):
        return event
    if kind in ABOUT_ANOTHER:
        return None
    told = {name: value for name, value in data.items() if name not in NAMING or value not in hidden}
    note = DUPLICATE_NOTE.match(body)
    return kind, told, "Duplicate." if note and note.group(1) in hidden else body


def _named_in(data: dict[str, Any], body: str) -> list[str]:
    names = [str(data[name]) for name in NAMING if REFERENCE.match(str(data.get(name, "")))]
    note = DUPLICATE_NOTE.match(body)
    return [*names, note.group(1)] if note else names
