"""Collect the rows about an incident that a model may be told of, and who and what is named in them."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from alerts.models import Alert
from alerts.services.changes import changes_before
from assistant.prompts import Row, fitting
from assistant.redacting import Redactor
from assistant.services.similar import related_incidents
from core.severity import Severity
from incidents.kinds import label_of
from incidents.models import Category, EventKind, Incident, IncidentEvent
from logs.models import LogEntry
from logs.vocabulary import Level
from responders.models import Service, Team
from users.models import User

MOST_EVENTS, MOST_ALERTS, MOST_CHANGES, MOST_LINES, MOST_SIMILAR = 60, 15, 20, 40, 3
CHANGES_WITHIN = dt.timedelta(hours=24)
LINES_BEFORE, LINES_AFTER = dt.timedelta(minutes=15), dt.timedelta(minutes=10)
TEXT_LENGTH = 1_000  # characters of a row that are redacted: more than are told of it
MOST_NAMES = 20_000
MACHINE_LABELS = ("host", "hostname", "instance", "node", "pod", "container", "server", "machine", "nodename", "vm")
UNTOLD = frozenset(
    {
        *(EventKind.SUBSCRIBED, EventKind.UNSUBSCRIBED, EventKind.ACCESS_GRANTED, EventKind.FOLLOWERS_LEFT),
        *(EventKind.LINKED, EventKind.UNLINKED, EventKind.REDACTED),
    }
)


@dataclass(frozen=True)
class Material:
    """Redacted rows, and what restores their names."""

    rows: tuple[Row, ...]
    redactor: Redactor

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(row.id for row in self.rows)


def material_of(incident: Incident, asker: User | None, now: dt.datetime) -> Material:
    """Return what a model is told: the incident first, then its alerts, changes, timeline, log lines and likenesses."""
    services = list(incident.services.all())
    events = _events(incident)
    alerts = list(Alert.objects.filter(incident=incident).select_related("source").order_by("id")[:MOST_ALERTS])
    lines = _lines(incident, services)
    rows = [
        _row("incident", incident.pk, incident.created_at, _about(incident, services)),
        *(_row("alert", one.pk, one.starts_at, _of_alert(one)) for one in alerts),
        *_changes(incident),
        *_told(events),
        *(
            _row("log", one.pk, one.timestamp, f"{one.get_level_display()} {one.service} {one.host} {one.message}")
            for one in lines
        ),
        *_similar(incident, asker, now),
    ]
    redactor = Redactor(people=_people(events), hosts=_machines(alerts, lines), keep=_kept())
    redactor.learn(row.text for row in rows)
    redacted = [Row(row.id, row.at, redactor.redact(row.text)) for row in rows]
    return Material(tuple(fitting(redacted)), redactor)


def _row(kind: str, number: int, at: dt.datetime, text: str) -> Row:
    if len(text) > TEXT_LENGTH:
        text = text[:TEXT_LENGTH].rpartition(" ")[0]  # half a secret would look like none
    return Row(f"{kind}-{number}", at, text)


def _about(incident: Incident, services: Iterable[Service]) -> str:
    facts = f"severity {Severity(incident.severity).word}, status {incident.status}"
    named = ", ".join(service.name for service in services)
    return "\n".join([f"{incident.title} ({facts})", *([f"services: {named}"] if named else []), incident.description])


def _events(incident: Incident) -> list[IncidentEvent]:
    events = IncidentEvent.objects.filter(incident=incident).exclude(kind__in=UNTOLD).order_by("-seq")
    return list(events.select_related("actor")[:MOST_EVENTS])


def _told(events: Iterable[IncidentEvent]) -> Iterator[Row]:
    for event in events:
        who = f" by {event.actor_label}" if event.actor_label else ""
        changes: dict[str, Any] = event.data.get("changes", {}) if event.kind != EventKind.CREATED else {}
        changed = "; ".join(f"{name}: {pair[0]} → {pair[1]}" for name, pair in changes.items())
        text = "\n".join(filter(None, [f"{label_of(event.kind)}{who}", changed, event.body]))
        yield _row("event", event.pk, event.occurred_at, text)


def _of_alert(alert: Alert) -> str:
    labels = " ".join(f"{name}={value}" for name, value in alert.labels.items())
    return f"Alert of {alert.source.name}: {alert.title} ({alert.status})\n{labels}\n{alert.description}"


def _changes(incident: Incident) -> Iterator[Row]:
    for change in changes_before(incident, within=CHANGES_WITHIN, limit=MOST_CHANGES):
        service = f" (service {change.service.name})" if change.service else ""
        details = " ".join(f"{name}={value}" for name, value in change.details.items())
        yield _row("change", change.pk, change.occurred_at, f"Change{service}: {change.summary}\n{details}")


def _lines(incident: Incident, services: Iterable[Service]) -> list[LogEntry]:
    names = {name for service in services for name in (service.name, service.slug)}
    since, until = incident.occurred_at - LINES_BEFORE, incident.occurred_at + LINES_AFTER
    lines = LogEntry.objects.filter(service__in=names, level__gte=Level.WARNING, timestamp__range=(since, until))
    return list(lines.order_by("-timestamp", "-id")[:MOST_LINES]) if names else []


def _similar(incident: Incident, asker: User | None, now: dt.datetime) -> Iterator[Row]:
    """Yield what the asker sees of similar incidents; restricted ones are never told of."""
    if asker is None:
        return
    similar, duplicates = related_incidents(incident, asker, now)
    numbers = [one.incident for one in (*duplicates, *similar)][:MOST_SIMILAR]
    for other in Incident.objects.visible_to(asker).filter(pk__in=numbers, is_restricted=False).order_by("pk"):
        ends = IncidentEvent.objects.filter(incident=other, kind=EventKind.RESOLVED).order_by("-seq")
        note = ends.values_list("body", flat=True).first() or ""
        text = f"Similar incident: {other.title} ({other.status})" + (f"\nresolved with: {note}" if note else "")
        yield _row("incident", other.pk, other.created_at, text)


def _people(events: Iterable[IncidentEvent]) -> set[str]:
    """Return the names of all accounts, and of those who act in other systems."""
    accounts = User.objects.order_by("-id").values_list("name", flat=True)[:MOST_NAMES]
    return set(accounts) | {event.actor_name for event in events if event.actor_name}


def _machines(alerts: Iterable[Alert], lines: Iterable[LogEntry]) -> set[str]:
    labelled = {str(alert.labels[name]) for alert in alerts for name in MACHINE_LABELS if name in alert.labels}
    return {name.partition(":")[0] for name in labelled | {line.host for line in lines} if name}


def _kept() -> set[str]:
    """Return names that may leave: of services, teams and categories."""
    services = Service.objects.values_list("name", "slug")[:MOST_NAMES]
    names = {name for pair in services for name in pair}
    names.update(Team.objects.values_list("name", flat=True)[:MOST_NAMES])
    return names | set(Category.objects.values_list("name", flat=True)[:MOST_NAMES])
