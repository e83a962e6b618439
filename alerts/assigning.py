"""From alerts to incidents: join the group's open one, reopen the one that just ended, or open another. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field

from alerts.effects import (
    AcknowledgeIncident,
    AddEvent,
    Effect,
    JoinIncident,
    OpenIncident,
    RaiseSeverity,
    ReopenIncident,
    ResolveIncident,
    SaveAlert,
    SaveGroup,
    State,
    Target,
    storm_key,
)
from alerts.models import Alert, AlertGroup
from alerts.routing import RouteSpec, group_key
from alerts.transitions import Transition
from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertEventKind, AlertStatus
from core.severity import Severity
from core.text.names import tidied
from incidents.models import EventKind, Incident, Status
from incidents.vocabulary import OPEN_STATUSES

MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class FiringAlert:
    """An alert that needs its incident seen to, with its route (None: its source decides)."""

    alert: Alert
    route: RouteSpec | None
    transition: Transition

    @property
    def severity(self) -> Severity:
        """Return how bad it makes its incident: as the route says, else as it is itself."""
        return Severity(self.route.severity if self.route and self.route.severity else self.alert.severity)


def group_of(alert: Alert, route: RouteSpec | None) -> tuple[str, dict[str, str]]:
    """Return the key and labels of an alert's group on this route; a missing label counts as empty."""
    names = route.group_by if route is not None and route.group_by is not None else alert.source.group_by
    labels = {name: alert.labels.get(name, "") for name in names}
    return group_key(source_id=alert.source_id, route=route, labels=labels, alert_key=alert.key), labels


@dataclass
class _IncidentView:
    """How an incident stands while the batch is decided."""

    target: Target
    status: str
    severity: int
    ended_at: dt.datetime | None = None
    is_deleted: bool = False

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


@dataclass
class GroupState:
    """Where the alerts of a group key go; too few `waiting` fired in this batch, and `pending` (keys) before."""

    group: AlertGroup | None
    incident: _IncidentView | None
    opening: _IncidentView | None = None
    route: RouteSpec | None = None
    waiting: dict[str, FiringAlert] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    is_changed: bool = False


class IncidentAssigner:
    """The incidents and groups of one batch as they come to stand; `alerts` are its alerts by key."""

    def __init__(self, state: State, alerts: Mapping[str, Alert], now: dt.datetime) -> None:
        self.state, self.alerts, self.now = state, alerts, now
        self.effects: list[Effect] = []
        self.views = {pk: _view(incident) for pk, incident in state.incidents.items()}
        self.assigned: dict[str, _IncidentView] = {}
        self.group_states: dict[str, GroupState] = {}
        self.opened = Counter(state.opened)

    def assign(self, started: Iterable[FiringAlert]) -> None:
        """Give each alert that began to fire its incident."""
        for one in started:
            self._assign(one)
        for current in self.group_states.values():
            for key in sorted(current.pending):
                self._fetch_waiting(key, current)
            if current.group is not None and current.is_changed:
                self.effects.append(SaveGroup(current.group))

    def _assign(self, one: FiringAlert) -> None:
        key, labels = group_of(one.alert, one.route)
        current, own = self._group_state(key), self._incident_of(one.alert)
        if own is not None and not self._is_succeeded(own, one, current, key) and self._join(own, one):
            return
        if current.incident is not None:
            if self._join(current.incident, one):
                return
            self._release(current)
        group = current.group = current.group or self._new_group(key, labels, one)
        if one.route is not None and one.route.open_after_count > 1:
            since = (self.now - one.route.open_after_minutes * MINUTE).timestamp()
            recent = [[name, at] for name, at in group.pending if at > since]
            group.pending = [*recent, [one.alert.key, self.now.timestamp()]]
            if len(group.pending) < one.route.open_after_count:
                current.waiting[one.alert.key], current.is_changed = one, True
                return
        self._open(current, one)

    def _group_state(self, key: str) -> GroupState:
        if key not in self.group_states:
            group = copy(self.state.groups[key]) if key in self.state.groups else None
            self.group_states[key] = GroupState(group, self.views.get(group.incident_id or 0) if group else None)
        return self.group_states[key]

    def _incident_of(self, alert: Alert) -> _IncidentView | None:
        return self.assigned.get(alert.key) or self.views.get(alert.incident_id or 0)

    def _is_succeeded(self, own: _IncidentView, one: FiringAlert, current: GroupState, key: str) -> bool:
        if (
            one.transition == Transition.REPEATED
            or own.is_open
            or current.incident is None
            or not current.incident.is_open
        ):
            return False
        return (key, one.alert.incident_id) in self.state.past

    def _join(self, view: _IncidentView, one: FiringAlert) -> bool:
        """Return whether the incident, open or just ended, takes the alert in. A repeat stays where it is."""
        alert = one.alert
        is_own = self._incident_of(alert) is view
        if is_own and (one.transition == Transition.REPEATED or (alert.is_flapping and view.is_open)):
            if view.is_open and not view.is_deleted:
                self._raise(view, one)
            return True
        if view.is_deleted:
            return False
        if not view.is_open:
            within = dt.timedelta(minutes=alert.source.reopen_minutes)
            if view.ended_at is None or self.now - view.ended_at > within:
                return False
            self.effects.append(ReopenIncident(view.target, f"{alert.title} fires again."))
            view.status, view.ended_at = Status.OPEN, None
        self._add(view, one)
        return True

    def _add(self, view: _IncidentView, one: FiringAlert) -> None:
        self.assigned[one.alert.key] = view
        self.effects.append(JoinIncident(view.target, one.alert))
        self._raise(view, one)

    def _raise(self, view: _IncidentView, one: FiringAlert) -> None:
        if one.severity > view.severity:
            view.severity = one.severity
            self.effects.append(RaiseSeverity(view.target, one.severity))

    def _release(self, current: GroupState) -> None:
        if current.group is not None:
            current.group.open_key = None
            self.effects.append(SaveGroup(current.group))
        current.group = current.incident = None

    def _new_group(self, key: str, labels: dict[str, str], one: FiringAlert, *, is_storm: bool = False) -> AlertGroup:
        return AlertGroup(
            key=key,
            open_key=key,
            source=one.alert.source,
            route_id=one.route.id if one.route else None,
            labels=labels,
            is_storm=is_storm,
            created_at=self.now,
        )

    def _open(self, current: GroupState, one: FiringAlert) -> None:
        alert, route_id = one.alert, one.route.id if one.route else None
        title, description = alert.title, alert.description
        if 0 < self.state.storm_limit <= self.opened[route_id]:
            current = self._group_state(storm_key(route_id))
            if current.incident is not None:
                if self._join(current.incident, one):
                    return
                self._release(current)
            current.group = current.group or self._new_group(storm_key(route_id), {}, one, is_storm=True)
            way = f"took the route {one.route.name}" if one.route else "took no route"
            title = f"Alert storm: more than {self.state.storm_limit} incidents a minute"
            description = f"Alerts that {way} and would each have opened an incident of their own joined this one."
        else:
            self.opened[route_id] += 1
        group = current.group
        assert group is not None  # noqa: S101 (made by now)
        opening = OpenIncident(group, alert, one.route, title, description, one.severity)
        self.effects.append(opening)
        view = _IncidentView(opening, Status.OPEN, one.severity)
        current.incident = current.opening = self.assigned[alert.key] = view
        current.route, current.is_changed, current.pending = (
            one.route,
            True,
            {key for key, _at in group.pending},
        )
        group.opened_at, group.pending = self.now, []
        for waiting in [waiting for key, waiting in current.waiting.items() if key != alert.key]:
            self._add(view, waiting)

    def _fetch_waiting(self, key: str, current: GroupState) -> None:
        alert = self.alerts.get(key) or self.state.waiting.get(key)
        if (
            alert is None
            or alert.silenced_by_id
            or alert.incident_id
            or key in self.assigned
            or current.opening is None
        ):
            return
        self._add(current.opening, FiringAlert(alert, current.route, Transition.REPEATED))
        self.effects.append(SaveAlert(alert, ("incident",)))

    def apply_actions(self, notes: Iterable[tuple[Alert, AlertUpdate]]) -> None:
        """Do what somebody did at the sender."""
        for alert, update in notes:
            view = self._incident_of(alert)
            if view is None or view.is_deleted:
                continue
            user = tidied(update.user)
            if update.action == Action.ACKNOWLEDGE and view.status == Status.OPEN:
                view.status = Status.ACKNOWLEDGED
                self.effects.append(AcknowledgeIncident(view.target, alert, user, update.note))
            elif update.note:
                self.effects.append(AddEvent(view.target, EventKind.COMMENT, alert, update.note, user))

    def end(self, ended: Iterable[Alert]) -> None:
        """Tell of the ends, and resolve incidents in which nothing fires or flaps."""
        alerts = self.alerts.values()
        busy = [self._incident_of(one) for one in alerts if one.is_flapping or one.status == AlertStatus.FIRING]
        held = {id(view) for view in busy} | {id(self.views[pk]) for pk in self.state.held}
        for alert in ended:
            view = self._incident_of(alert)
            if alert.is_flapping or view is None or not view.is_open or view.is_deleted:
                continue
            self.effects.append(AddEvent(view.target, AlertEventKind.RESOLVED, alert))
            if id(view) not in held and alert.source.auto_resolve:
                view.status = Status.RESOLVED
                self.effects.append(ResolveIncident(view.target))


def _view(incident: Incident) -> _IncidentView:
    ended_at = incident.closed_at or incident.resolved_at
    return _IncidentView(incident, incident.status, incident.severity, ended_at, incident.deleted_at is not None)
