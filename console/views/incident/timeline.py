"""The timeline as people read it: newest first, by day, in pages by number."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.vocabulary import AlertEventKind
from core.severity import SEVERITY_OF_WORD
from core.text.moments import shown_in
from core.text.sentences import shown as said
from incidents.kinds import label_of
from incidents.models import EventKind, Incident, IncidentEvent, LinkKind
from incidents.naming import hidden_references, strip_hidden
from incidents.vocabulary import STATUS_OF_WORD
from paging.vocabulary import PagingEventKind
from remediation.vocabulary import PhaseState, PhaseWord
from users.models import User

PAGE_SIZE = 50
PEOPLE = (
    EventKind.COMMENT,
    EventKind.ATTACHMENT_ADDED,
    EventKind.ATTACHMENT_REMOVED,
    EventKind.SUBSCRIBED,
    EventKind.UNSUBSCRIBED,
)
LIFECYCLE = (
    *(EventKind.ACKNOWLEDGED, EventKind.STARTED, EventKind.HELD, EventKind.RESUMED),
    *(EventKind.RESOLVED, EventKind.CLOSED, EventKind.REOPENED),
)
CHANGES = (
    *(EventKind.CREATED, *LIFECYCLE, EventKind.FIELD_CHANGED, EventKind.TEAM_CHANGED, EventKind.ASSIGNEE_CHANGED),
    *(EventKind.SEVERITY_CHANGED, EventKind.PRIORITY_CHANGED, EventKind.LINKED, EventKind.UNLINKED),
    *(EventKind.ACK_BREACHED, EventKind.RESOLVE_BREACHED, EventKind.DELETED, EventKind.RESTORED),
)
CHIPS: dict[str, tuple[Any, Q]] = {
    "all": (gettext_lazy("All"), Q()),
    "people": (gettext_lazy("People"), Q(kind__in=PEOPLE) | Q(actor__isnull=False) & ~Q(body="")),
    "alerts": (gettext_lazy("Alerts"), Q(kind__in=list(AlertEventKind))),
    "pages": (gettext_lazy("Pages"), Q(kind__in=list(PagingEventKind))),
    "changes": (gettext_lazy("Changes"), Q(kind__in=CHANGES)),
}
STAFF_CHIPS = ("all", "people", "alerts", "pages", "changes")
REPORTER_CHIPS = ("all", "people", "changes")
# Fields that the event's kind implies.
IMPLIED = frozenset(
    {
        *("ack_breached", "resolve_breached", "status", "paused_at", "reopen_count"),
        *("acknowledged_at", "resolved_at", "closed_at", "deleted_at"),
    }
)
FIELD_LABELS = {
    "title": gettext_lazy("Title"),
    "description": gettext_lazy("Description"),
    "severity": gettext_lazy("Severity"),
    "priority": gettext_lazy("Priority"),
    "category": gettext_lazy("Category"),
    "location": gettext_lazy("Location"),
    "services": gettext_lazy("Services"),
    "team": gettext_lazy("Team"),
    "assignee": gettext_lazy("Assignee"),
    "reporter": gettext_lazy("Reporter"),
    "is_restricted": gettext_lazy("Restricted"),
    "occurred_at": gettext_lazy("Happened"),
    "ack_due_at": gettext_lazy("Acknowledge by"),
    "resolve_due_at": gettext_lazy("Resolve by"),
}
LINKED_HERE = {
    LinkKind.DUPLICATE_OF: gettext_lazy("Duplicate of %(incident)s"),
    LinkKind.RELATED_TO: gettext_lazy("Related to %(incident)s"),
    LinkKind.CAUSED_BY: gettext_lazy("Caused by %(incident)s"),
}
LINKED_THERE = {
    LinkKind.DUPLICATE_OF: gettext_lazy("%(incident)s is a duplicate of this incident"),
    LinkKind.RELATED_TO: gettext_lazy("%(incident)s is related to this incident"),
    LinkKind.CAUSED_BY: gettext_lazy("%(incident)s was caused by this incident"),
}
ICONS = {
    EventKind.COMMENT: "message-square",
    EventKind.ATTACHMENT_ADDED: "paperclip",
    EventKind.ATTACHMENT_REMOVED: "trash-2",
    EventKind.CREATED: "flag",
    EventKind.LINKED: "link",
    EventKind.UNLINKED: "link",
    EventKind.ASSIGNEE_CHANGED: "user",
    EventKind.TEAM_CHANGED: "users",
    EventKind.ACK_BREACHED: "timer",
    EventKind.RESOLVE_BREACHED: "timer",
    EventKind.RESOLVED: "check",
    EventKind.ACKNOWLEDGED: "hand",
    EventKind.STARTED: "play",
    EventKind.HELD: "pause",
    EventKind.RESUMED: "play",
    EventKind.CLOSED: "lock",
    EventKind.REOPENED: "rotate-ccw",
    EventKind.REDACTED: "eye-off",
}
REDACTABLE = frozenset({"title", "description", "location"})


@dataclass(frozen=True)
class Entry:
    """An event as shown."""

    event: IncidentEvent
    label: str
    icon: str
    changes: list[tuple[Any, str, str]] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    @property
    def group(self) -> str:
        """Return what it is about, for its looks."""
        if self.event.kind == EventKind.COMMENT:
            return "comment"
        if self.event.kind in PEOPLE:
            return "people"
        return next((name for name in ("alerts", "pages") if self.event.kind in _KINDS[name]), "change")

    @property
    def text(self) -> str:
        """Return what somebody wrote; what was written for them reads as the page does."""
        return self.event.body if self.event.kind == EventKind.COMMENT else said(self.event.body)

    @property
    def is_internal(self) -> bool:
        return self.event.visibility == "internal"

    @property
    def file(self) -> int | None:
        """Return the number of the file that it added."""
        return self.event.data.get("id") if self.event.kind == EventKind.ATTACHMENT_ADDED else None

    @property
    def is_redactable(self) -> bool:
        if self.event.redacted_at is not None or self.event.kind == EventKind.REDACTED:
            return False
        texts = REDACTABLE & set(self.event.data.get("changes", {}))
        return bool(self.event.body or texts or "name" in self.event.data)


_KINDS = {"alerts": frozenset(AlertEventKind), "pages": frozenset(PagingEventKind)}


@dataclass(frozen=True)
class Entries:
    """A page of the timeline: days with their entries, and where to continue."""

    days: list[tuple[dt.date, list[Entry]]]
    older: int | None
    newest: int
    count: int


def chips_for(viewer: User) -> list[tuple[str, Any]]:
    names = STAFF_CHIPS if viewer.is_admin or viewer.is_responder else REPORTER_CHIPS
    return [(name, CHIPS[name][0]) for name in names]


def entries_of(
    incident: Incident,
    viewer: User,
    *,
    chip: str = "all",
    before: int | None = None,
    after: int | None = None,
    until: dt.datetime | None = None,
) -> Entries:
    """Return up to PAGE_SIZE events, newest first."""
    events = IncidentEvent.objects.readable_by(viewer).filter(CHIPS[chip][1], incident=incident)
    if before is not None:
        events = events.filter(seq__lt=before)
    if after is not None:
        events = events.filter(seq__gt=after)
    if until is not None:
        events = events.filter(occurred_at__lte=until)
    found = list(events.order_by("-seq")[: PAGE_SIZE + 1])
    shown = [describe(event) for event in _without_hidden(found[:PAGE_SIZE], viewer)]
    older = found[PAGE_SIZE - 1].seq if len(found) > PAGE_SIZE else None
    return Entries(list(_by_day(shown)), older, found[0].seq if found else 0, len(shown))


def number_in(text: str | None) -> int | None:
    """Return the event number of a query parameter; None for none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _without_hidden(events: Sequence[IncidentEvent], viewer: User) -> Iterator[IncidentEvent]:
    hidden = hidden_references(viewer, [(event.kind, event.data, event.body) for event in events])
    for event in events:
        shown = strip_hidden((event.kind, event.data, event.body), hidden)
        if shown is not None:
            event.data, event.body = shown[1:]
            yield event


def _by_day(entries: Iterable[Entry]) -> Iterator[tuple[dt.date, list[Entry]]]:
    for day, group in groupby(entries, key=lambda entry: timezone.localtime(entry.event.occurred_at).date()):
        yield day, list(group)


def describe(event: IncidentEvent) -> Entry:
    is_first = event.kind == EventKind.CREATED
    pairs = {} if is_first else event.data.get("changes", {})
    changes = [
        (FIELD_LABELS.get(name, name), _value(pair[0]), _value(pair[1])) if name != "description" else _text_changed()
        for name, pair in pairs.items()
        if name not in IMPLIED
    ]
    icon = ICONS.get(event.kind, "")  # type: ignore[call-overload]
    if not icon:
        icon = "bell-ring" if event.kind in _KINDS["alerts"] else "phone" if event.kind in _KINDS["pages"] else "pencil"
    return Entry(event, label_of(event.kind), icon, changes, [fact for fact in _facts(event.data) if fact])


def _text_changed() -> tuple[Any, str, str]:
    return FIELD_LABELS["description"], "", _("changed")


def _value(value: Any) -> str:
    if value in (None, "", []):
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return str(value.get("name", ""))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if value in SEVERITY_OF_WORD:
        return str(SEVERITY_OF_WORD[value].label)
    if value in STATUS_OF_WORD:
        return str(STATUS_OF_WORD[value].label)
    moment = parse_datetime(value) if isinstance(value, str) and value.endswith("Z") and len(value) >= 19 else None
    return moment_text(moment) if moment else str(value)


def moment_text(moment: dt.datetime) -> str:
    """Return a time in the person's zone, with the zone."""
    return shown_in(moment, timezone.get_current_timezone(), "long", has_zone=True)


def _step(data: dict[str, Any]) -> str:
    step = _("Step %(number)s") % {"number": data.get("step")}
    return f"{step} · {data.get('target')} · {PhaseWord(data['phase']).label}: {PhaseState(data['state']).label}"


def _facts(data: dict[str, Any]) -> Iterator[str]:
    if "incident" in data and data.get("link") in LINKED_HERE:
        labels = LINKED_THERE if data.get("is_from_there") else LINKED_HERE
        yield labels[LinkKind(data["link"])] % {"incident": data["incident"]}
    yield from _access(data)
    for name in ("alert", "user"):
        if isinstance(data.get(name), dict):
            yield str(data[name].get("title") or data[name].get("name") or "")
    if isinstance(data.get("name"), str):
        yield data["name"]
    if isinstance(data.get("text"), str):
        yield said(data["text"])
    if data.get("phase") in PhaseWord and data.get("state") in PhaseState:
        yield _step(data)
    if "seq" in data:
        words = {"number": data["seq"], "reason": data.get("reason") or _("no reason given")}
        yield _("Event %(number)s: %(reason)s") % words


def _access(data: dict[str, Any]) -> Iterator[str]:
    if "users" in data:
        words = {"names": ", ".join(str(one.get("name", "")) for one in data["users"])}
        if "original" in data:
            yield _("%(names)s, to %(incident)s") % {**words, "incident": data["original"]}
        elif "duplicate" in data:
            yield _("%(names)s, from %(incident)s") % {**words, "incident": data["duplicate"]}
        else:
            yield words["names"]
    elif "of" in data:
        yield _("Contents of %(incident)s") % {"incident": data["of"]}
    elif "to" in data and "alert" not in data:
        yield _("To everybody with access to %(incident)s") % {"incident": data["to"]}
