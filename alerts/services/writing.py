"""Performing effects: rows and timelines, few statements however many there are."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from django.db import connection
from django.db.models import F, Model

from alerts.effects import (
    AcknowledgeIncident,
    AddEvent,
    CountRoute,
    Effect,
    JoinIncident,
    OpenIncident,
    RaiseSeverity,
    RememberEarlyResolve,
    ReopenIncident,
    ResolveIncident,
    SaveAlert,
    SaveGroup,
    Target,
)
from alerts.models import Alert, AlertLabel, Route, pairs_of, serialize_alert
from alerts.routing import RouteSpec
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
from responders.models import Service, Team

GROUP_COLUMNS = ("open_key", "incident", "pending", "opened_at")

TIMELINE = (JoinIncident, ReopenIncident, RaiseSeverity, AcknowledgeIncident, AddEvent, ResolveIncident)

RouteTargets = tuple[Team | None, Service | None, Category | None]
NO_TARGETS: RouteTargets = (None, None, None)
Kind = TypeVar("Kind")
Row = TypeVar("Row", bound=Model)


def write(effects: Sequence[Effect], now: dt.datetime) -> None:
    """Perform the effects in the present transaction."""
    opened = _open_incidents(_all(OpenIncident, effects), now)
    groups, known_groups = _apart(effect.group for effect in _all(SaveGroup, effects))
    rows.update_many(known_groups, GROUP_COLUMNS)
    rows.insert(*sorted(groups, key=lambda group: group.key))  # two who insert the same meet at the first
    for joined in _all(JoinIncident, effects):
        joined.alert.incident = _incident(joined.incident, opened)
    _write_alerts(_all(SaveAlert, effects))
    early, known_early = _apart(effect.early for effect in _all(RememberEarlyResolve, effects))
    rows.insert(*early)
    rows.update_many(known_early, ("ended_at", "received_at"))
    _write_timelines(effects, opened, now)
    for route in _all(CountRoute, effects):
        matched, dropped = F("matched_count") + route.matched, F("dropped_count") + route.dropped
        Route.objects.filter(pk=route.route_id).update(matched_count=matched, dropped_count=dropped)


def new_incident_of(effect: OpenIncident, targets: RouteTargets) -> NewIncident:
    """Return the incident that an effect opens: what its route names, else its source; in the alert's words."""
    route, source, alert = effect.route, effect.alert.source, effect.alert
    team, service, category = targets
    return NewIncident(
        title=effect.title,
        description=effect.description,
        severity=effect.severity,
        priority=Priority(route.priority) if route and route.priority else None,
        category=category,
        team=team or source.team,
        services=[service] if service else [],
        is_report=False,
        occurred_at=alert.starts_at,
        origin_system=source.kind,
        data={"alert": serialize_alert(alert), "grouped_by": effect.group.labels},
        by=_actor(alert),
    )


def targets_of(route: RouteSpec) -> RouteTargets:
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
    routes = {effect.route.id: effect.route for effect in effects if effect.route}
    targets = {number: targets_of(route) for number, route in routes.items()}
    news = [new_incident_of(effect, targets[effect.route.id] if effect.route else NO_TARGETS) for effect in effects]
    incidents = open_many(news, origin=Origin.ALERT, at=now)
    for effect, incident in zip(effects, incidents, strict=True):
        effect.alert.incident = effect.group.incident = incident
    return dict(zip(effects, incidents, strict=True))


def _incident(target: Target, opened: dict[OpenIncident, Incident]) -> Incident:
    return opened[target] if isinstance(target, OpenIncident) else target


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
            _apply_effect(changes[incident.pk], effect)
    if changes:
        save_all(changes.values())


def _apply_effect(change: IncidentChange, effect: Effect) -> None:
    match effect:
        case JoinIncident():
            data = {"alert": serialize_alert(effect.alert)}
            change.add_event(AlertEventKind.ADDED, data=data, by=_actor(effect.alert))
        case AddEvent():
            data, by = {"alert": serialize_alert(effect.alert)}, _actor(effect.alert, effect.user)
            change.add_event(effect.kind, body=effect.body, data=data, by=by)
        case RaiseSeverity():
            set_severity(change, effect.severity)
        case ReopenIncident():
            move_to(change, Status.OPEN, effect.note)
        case ResolveIncident():
            move_to(change, Status.RESOLVED, "")
        case AcknowledgeIncident():
            ours = change.context
            change.context = replace(ours, actor=_actor(effect.alert, effect.user))
            move_to(change, Status.ACKNOWLEDGED, effect.note)
            change.context = ours


def _actor(alert: Alert, user: str = "") -> Actor:
    return Actor(name=user, machine=MachineKind.SOURCE, machine_name=alert.source.name)
