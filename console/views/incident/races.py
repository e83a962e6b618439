"""Tell what others did since a form was opened."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from incidents.models import EventKind, Incident, IncidentEvent
from users.models import User

MOST_READ = 200
SENTENCES: dict[str, Any] = {
    EventKind.ACKNOWLEDGED: gettext_lazy("%(name)s acknowledged this %(ago)s."),
    EventKind.STARTED: gettext_lazy("%(name)s started work %(ago)s."),
    EventKind.HELD: gettext_lazy("%(name)s put this on hold %(ago)s."),
    EventKind.RESUMED: gettext_lazy("%(name)s resumed this %(ago)s."),
    EventKind.RESOLVED: gettext_lazy("%(name)s resolved this %(ago)s."),
    EventKind.CLOSED: gettext_lazy("%(name)s closed this %(ago)s."),
    EventKind.REOPENED: gettext_lazy("%(name)s reopened this %(ago)s."),
    EventKind.SEVERITY_CHANGED: gettext_lazy("%(name)s changed the severity %(ago)s."),
    EventKind.PRIORITY_CHANGED: gettext_lazy("%(name)s changed the priority %(ago)s."),
    EventKind.ASSIGNEE_CHANGED: gettext_lazy("%(name)s changed the assignee %(ago)s."),
    EventKind.TEAM_CHANGED: gettext_lazy("%(name)s handed this to another team %(ago)s."),
}
OTHERWISE = gettext_lazy("%(name)s changed this %(ago)s.")


@dataclass(frozen=True)
class Race:
    """What somebody changed since, and the fields that it touched."""

    event: IncidentEvent
    fields: frozenset[str]

    def __str__(self) -> str:
        seconds = max(0, int((timezone.now() - self.event.received_at).total_seconds()))
        name = self.event.actor_label or _("The system")
        return str(SENTENCES.get(self.event.kind, OTHERWISE)) % {"name": name, "ago": _ago(seconds)}


def races(incident: Incident, seen: int | None, fields: Collection[str], *, but: User | None = None) -> list[Race]:
    """Return changes of these fields after event number `seen`, the latest first, but for a person's own."""
    if seen is None or seen >= incident.event_count:
        return []
    events = IncidentEvent.objects.filter(incident=incident, seq__gt=seen).order_by("-seq")[:MOST_READ]
    found = (Race(event, frozenset(event.data.get("changes", {})) & frozenset(fields)) for event in events)
    return [one for one in found if one.fields and (but is None or one.event.actor_id != but.pk)]


def last_move(incident: Incident) -> Race | None:
    """Return who brought the incident to its status."""
    kinds = [kind for kind in SENTENCES if kind in _MOVES]
    event = IncidentEvent.objects.filter(incident=incident, kind__in=kinds).order_by("-seq").first()
    return Race(event, frozenset({"status"})) if event is not None else None


_MOVES = frozenset(
    {
        *(EventKind.ACKNOWLEDGED, EventKind.STARTED, EventKind.HELD, EventKind.RESUMED),
        *(EventKind.RESOLVED, EventKind.CLOSED, EventKind.REOPENED),
    }
)


def _ago(seconds: int) -> str:
    if seconds < 60:
        return ngettext("%(n)d s ago", "%(n)d s ago", seconds) % {"n": seconds}
    if seconds < 3600:
        return ngettext("%(n)d min ago", "%(n)d min ago", seconds // 60) % {"n": seconds // 60}
    return ngettext("%(n)d h ago", "%(n)d h ago", seconds // 3600) % {"n": seconds // 3600}
