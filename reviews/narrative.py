"""Choose the moments of a review from a timeline, and tell each in plain words."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.severity import SEVERITY_OF_WORD
from incidents.kinds import label_of
from incidents.models import EventKind, IncidentEvent
from incidents.naming import DUPLICATE_NOTE

MOST_MOMENTS = 60
MOST_QUOTED = 3_000  # characters

LIFECYCLE = (
    EventKind.CREATED,
    EventKind.ACKNOWLEDGED,
    EventKind.STARTED,
    EventKind.HELD,
    EventKind.RESUMED,
    EventKind.RESOLVED,
    EventKind.REOPENED,
    EventKind.SEVERITY_CHANGED,
    EventKind.ASSIGNEE_CHANGED,
    EventKind.TEAM_CHANGED,
    EventKind.ACK_BREACHED,
    EventKind.RESOLVE_BREACHED,
)
PUBLIC = ("status_published", "status_updated")
PAGING = ("paged", "paged_again", "nobody_reached")
# What a draft tells of, the most telling first, and how many of each it leaves room for.
GROUPS: tuple[tuple[tuple[str, ...], int], ...] = (
    (LIFECYCLE, 30),
    (PUBLIC, 10),
    (PAGING, 10),
    ((EventKind.COMMENT,), 10),
)
# By somebody, and by nobody known.
ACTS = {
    EventKind.CREATED: (
        gettext_lazy("%(who)s reported the incident."),
        gettext_lazy("The incident was reported."),
    ),
    EventKind.ACKNOWLEDGED: (
        gettext_lazy("%(who)s acknowledged the incident."),
        gettext_lazy("The incident was acknowledged."),
    ),
    EventKind.STARTED: (gettext_lazy("%(who)s started work."), gettext_lazy("Work started.")),
    EventKind.HELD: (
        gettext_lazy("%(who)s put the incident on hold."),
        gettext_lazy("The incident was put on hold."),
    ),
    EventKind.RESUMED: (gettext_lazy("%(who)s resumed work."), gettext_lazy("Work was resumed.")),
    EventKind.RESOLVED: (
        gettext_lazy("%(who)s resolved the incident."),
        gettext_lazy("The incident was resolved."),
    ),
    EventKind.REOPENED: (
        gettext_lazy("%(who)s reopened the incident."),
        gettext_lazy("The incident was reopened."),
    ),
    EventKind.COMMENT: (gettext_lazy("%(who)s wrote:"), gettext_lazy("An update:")),
    EventKind.ACK_BREACHED: (
        gettext_lazy("The incident was not acknowledged in time."),
        gettext_lazy("The incident was not acknowledged in time."),
    ),
    EventKind.RESOLVE_BREACHED: (
        gettext_lazy("The incident was not resolved in time."),
        gettext_lazy("The incident was not resolved in time."),
    ),
    "status_published": (
        gettext_lazy("%(who)s published the incident on the status page."),
        gettext_lazy("The incident was published on the status page."),
    ),
    "status_updated": (
        gettext_lazy("%(who)s posted an update on the status page."),
        gettext_lazy("An update was posted on the status page."),
    ),
}
CORRECTED = (
    gettext_lazy("%(who)s corrected an update on the status page."),
    gettext_lazy("An update on the status page was corrected."),
)
CHANGES = {
    EventKind.SEVERITY_CHANGED: ("severity", gettext_lazy("The severity changed from %(before)s to %(after)s.")),
    EventKind.ASSIGNEE_CHANGED: ("assignee", gettext_lazy("The assignee changed from %(before)s to %(after)s.")),
    EventKind.TEAM_CHANGED: ("team", gettext_lazy("The team changed from %(before)s to %(after)s.")),
}


def choose(groups: Sequence[Sequence[int]], most: int = MOST_MOMENTS) -> list[int]:
    """Return which events to tell of: each group's share from both its ends, and more where others leave room.

    `groups` are in the order of GROUPS, each with its events in theirs.
    """
    shares = [min(share, len(group)) for (_kinds, share), group in zip(GROUPS, groups, strict=True)]
    room = most - sum(shares)
    for number, group in enumerate(groups):
        more = min(room, len(group) - shares[number])
        shares[number] += more
        room -= more
    return [event for group, share in zip(groups, shares, strict=True) for event in ends_of(group, share)]


def ends_of(events: Sequence[int], count: int) -> list[int]:
    """Return so many from the beginning and the end."""
    if len(events) <= count:
        return list(events)
    tail = count // 2
    return [*events[: count - tail], *events[len(events) - tail :]]


def tell(event: IncidentEvent) -> str:
    """Return what happened as a text in the active language, with what somebody wrote."""
    said = quoted(event.body) if not DUPLICATE_NOTE.match(event.body) else ""
    return "\n\n".join(filter(None, (_sentence(event), said)))


def quoted(text: str) -> str:
    """Return what a moment takes over of a text."""
    return text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…"


def _sentence(event: IncidentEvent) -> str:
    if event.kind in CHANGES:
        field, sentence = CHANGES[EventKind(event.kind)]
        before, after = event.data.get("changes", {}).get(field) or (None, None)
        return sentence % {"before": _named(before), "after": _named(after)}
    if event.kind in ACTS:
        by_somebody, by_nobody = CORRECTED if "corrects" in event.data else ACTS[event.kind]
        return by_somebody % {"who": event.actor_label} if event.actor_label else str(by_nobody)
    text = event.data.get("text")
    if isinstance(text, str) and text:
        return text
    runbook, label = event.data.get("runbook"), label_of(event.kind)
    return f"{label}: {runbook}" if runbook else label


def _named(value: Any) -> str:
    if value in (None, ""):
        return _("none")
    if isinstance(value, dict):
        return str(value.get("name", ""))
    severity = SEVERITY_OF_WORD.get(str(value))
    return str(severity.label) if severity is not None else str(value)


def people_of(events: Sequence[dict[str, Any]]) -> list[int]:
    """Return whom pages reached out to, by the data of their events."""
    paged = (one for data in events for one in data.get("paged", ()) if isinstance(one, dict))
    return list(dict.fromkeys(one["user"] for one in paged if isinstance(one.get("user"), int)))
