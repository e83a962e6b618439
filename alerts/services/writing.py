"""Performing effects: rows and timelines, few statements however many there are."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from django.db import connection
from django.db.models import F, Model, Q

from alerts.effects import (
    AcknowledgeIncident,
    AddEvent,
    CloseEvent,
    CountRoute,
    Effect,
    JoinIncident,
    NoteUnknownWords,
    OpenIncident,
    RaiseSeverity,
    ReleaseGroup,
    RememberEarlyResolve,
    ReopenIncident,
    ResolveIncident,
    SaveAlert,
    SaveGroup,
    Target,
)
from alerts.models import Alert, AlertGroup, AlertLabel, Route, pairs_of, serialize_alert
from alerts.routing import RouteSpec
from alerts.services.enqueueing import INTERNAL_FORMAT, event_of_leftover
from alerts.services.words import UnknownWords
from alerts.vocabulary import AlertEventKind
from core.db import rows
from core.severity import Priority
from incidents.actors import Actor
from incidents.models import Category, Incident, Origin, Status
from incidents.services.editing import set_severity
from incidents.services.lifecycle import move_to
from incidents.services.opening import NewIncident, open_many
from incidents.services.recording import ChangeContext, IncidentChange, save_all
from incidents.vocabulary import MachineKind
from intake.models import IntakeEvent, Source
from intake.vocabulary import IntakeState
from responders.models import Service, Team

HEARD_STEP = dt.timedelta(seconds=5)  # how exactly it is known when a source was last heard
GROUP_COLUMNS = ("open_key", "incident", "pending", "opened_at")

TIMELINE = (JoinIncident, ReopenIncident, RaiseSeverity, AcknowledgeIncident, AddEvent, ResolveIncident)

Kind = TypeVar("Kind")
Row = TypeVar("Row", bound=Model)


class Overtaken(Exception):
    """An event was taken from the queue while it was read."""


def write(effects: Sequence[Effect], now: dt.datetime) -> None:
    """Perform the effects in the present transaction. Raises Overtaken where an event waits no longer."""
    rows.update_many([effect.group for effect in _all(ReleaseGroup, effects)], ["open_key"])
    opened = _open_incidents(_all(OpenIncident, effects), now)
    _write_groups(effect.group for effect in _all(SaveGroup, effects))
    for joined in _all(JoinIncident, effects):
        joined.alert.incident = _incident(joined.incident, opened)
    _write_alerts(_all(SaveAlert, effects))
    fresh, known = _apart(effect.early for effect in _all(RememberEarlyResolve, effects))
    rows.insert(*fresh)
    rows.update_many(known, ("ended_at", "received_at"))
    _write_timelines(effects, opened, now)
    for route in _all(CountRoute, effects):
        counts = {
            "matched_count": F("matched_count") + route.matched,
            "dropped_count": F("dropped_count") + route.dropped,
        }
        Route.objects.filter(pk=route.route_id).update(**counts)
    _close_events(_all(CloseEvent, effects), now)
    words = UnknownWords()
    for message in (noted.message for noted in _all(NoteUnknownWords, effects)):
        if message.event is not None:
            words.hear(message.source, message.event, message.unknown)
    words.save()


def new_incident_of(effect: OpenIncident) -> NewIncident:
    """Return the incident that an effect opens: what the route says, else the source; the words are the alert's."""
    route, source, alert = effect.route, effect.alert.source, effect.alert
    team, service, category = _targets_of(route) if route else (None, None, None)
    return NewIncident(
        title=effect.title,
        description=effect.description,
        severity=effect.severity,
        priority=Priority(route.priority) if route and route.priority else None,
        category=category,
        team=team or source.team,
        services=[service] if service else [],
        occurred_at=alert.starts_at,
        origin_system=source.kind,
        data={"alert": serialize_alert(alert), "grouped_by": effect.group.labels},
    )


def _targets_of(route: RouteSpec) -> tuple[Team | None, Service | None, Category | None]:
    """Return the team, service and category that a route names; its service's team where it names no other."""
    service = Service.objects.select_related("team").filter(pk=route.service_id).first() if route.service_id else None
    team = Team.objects.filter(pk=route.team_id).first() if route.team_id else service.team if service else None
    categories = Category.objects.select_related("default_team")
    return team, service, categories.filter(pk=route.category_id).first() if route.category_id else None


def _all(kind: type[Kind], effects: Iterable[object]) -> list[Kind]:
    return [effect for effect in effects if isinstance(effect, kind)]


def _open_incidents(effects: Sequence[OpenIncident], now: dt.datetime) -> dict[OpenIncident, Incident]:
    if not effects:
        return {}
    incidents = open_many([new_incident_of(effect) for effect in effects], origin=Origin.ALERT, at=now)
    for effect, incident in zip(effects, incidents, strict=True):
        effect.alert.incident = effect.group.incident = incident
    return dict(zip(effects, incidents, strict=True))


def _incident(target: Target, opened: dict[OpenIncident, Incident]) -> Incident:
    return opened[target] if isinstance(target, OpenIncident) else target


def _write_groups(groups: Iterable[AlertGroup]) -> None:
    fresh, known = _apart(groups)
    rows.insert(*sorted(fresh, key=lambda group: group.key))  # two who insert the same meet at the first
    rows.update_many(known, GROUP_COLUMNS)


def _write_alerts(effects: Iterable[SaveAlert]) -> None:
    fresh, _known = _apart(effect.alert for effect in effects)
    by_columns: defaultdict[tuple[str, ...], list[Alert]] = defaultdict(list)
    for effect in effects:
        if not effect.alert._state.adding:
            by_columns[effect.columns].append(effect.alert)
    rows.insert(*fresh)
    insert_labels(fresh)
    for columns, alerts in by_columns.items():
        rows.update_many(alerts, columns)


def _apart(found: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    fresh: list[Row] = []
    known: list[Row] = []
    for row in found:
        (fresh if row._state.adding else known).append(row)
    return fresh, known


def insert_labels(alerts: Sequence[Alert]) -> None:
    """Index the labels of new alerts."""
    unique = sorted({(pair, alert.pk) for alert in alerts for pair in pairs_of(alert.labels)})
    table = connection.ops.quote_name(AlertLabel._meta.db_table)
    with connection.cursor() as cursor:  # sorted as the table is: neighbours share a page, and nobody waits crosswise
        for start in range(0, len(unique), rows.CHUNK * 4):
            some = unique[start : start + rows.CHUNK * 4]
            cursor.execute(
                f"INSERT INTO {table} (pair, alert_id) VALUES {', '.join(['(%s, %s)'] * len(some))}",  # noqa: S608
                [value for pair in some for value in pair],
            )


def _write_timelines(effects: Iterable[Effect], opened: dict[OpenIncident, Incident], now: dt.datetime) -> None:
    context = ChangeContext.now(None, Origin.ALERT, now)
    changes: dict[int, IncidentChange] = {}
    for effect in effects:
        if isinstance(effect, TIMELINE):
            incident = _incident(effect.incident, opened)
            if incident.pk not in changes:
                changes[incident.pk] = IncidentChange(incident, context)
            _tell(changes[incident.pk], effect)
    save_all(changes.values())


def _tell(change: IncidentChange, effect: Effect) -> None:
    match effect:
        case JoinIncident():
            change.add_event(AlertEventKind.ADDED, data={"alert": serialize_alert(effect.alert)})
        case AddEvent():
            by = _at_sender(effect) if effect.user else None
            change.add_event(effect.kind, body=effect.body, data={"alert": serialize_alert(effect.alert)}, by=by)
        case RaiseSeverity():
            set_severity(change, effect.severity)
        case ReopenIncident():
            move_to(change, Status.OPEN, effect.note)
        case ResolveIncident():
            move_to(change, Status.RESOLVED, "")
        case AcknowledgeIncident():
            ours = change.context
            change.context = replace(ours, actor=_at_sender(effect))
            move_to(change, Status.ACKNOWLEDGED, effect.note)
            change.context = ours


def _at_sender(effect: AcknowledgeIncident | AddEvent) -> Actor:
    return Actor(name=effect.user, machine=MachineKind.SOURCE, machine_name=effect.alert.source.name)


def _close_events(effects: Sequence[CloseEvent], now: dt.datetime) -> None:
    leftovers = [(effect.event, effect.leftover) for effect in effects if effect.leftover is not None]
    rows.insert(*(event_of_leftover(event, leftover, now) for event, leftover in leftovers))
    alike: defaultdict[tuple[IntakeState, str, int], list[int]] = defaultdict(list)
    heard: dict[int, dt.datetime] = {}
    for effect in effects:
        event, source = effect.event, effect.event.source
        alike[effect.state, effect.reason, effect.alert_count].append(event.pk)
        if source is not None and event.format != INTERNAL_FORMAT:
            known = heard.get(source.pk, source.last_received_at)
            if known is None or event.received_at - known > HEARD_STEP:
                heard[source.pk] = event.received_at
    waiting = IntakeEvent.objects.waiting().order_by()
    for (state, reason, number), ids in alike.items():
        closed = {"state": state, "reason": reason[:500], "alert_count": number, "processed_at": now}
        if waiting.filter(pk__in=ids).update(**closed) != len(ids):
            raise Overtaken
    for pk, at in sorted(heard.items()):
        unheard = Q(last_received_at__isnull=True) | Q(last_received_at__lt=at)
        Source.objects.filter(unheard, pk=pk).update(last_received_at=at)
