"""Load and lock what a batch touches: alerts, groups, incidents, each by id."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.conf import settings
from django.db.models import Count, Q

from alerts.assigning import group_of
from alerts.decide import cut, stored_facts
from alerts.effects import Message, State, storm_key
from alerts.matching import facts_of
from alerts.models import Alert, AlertGroup, EarlyResolve
from alerts.routing import choose_route
from alerts.services.rules import route_specs, silence_specs
from alerts.transitions import Transition, may_be_late, may_be_out_of_order, next_state
from alerts.updates import Action
from alerts.vocabulary import AlertStatus
from core.db import rows
from incidents.models import Incident
from incidents.permissions import can_see
from users.models import User

MINUTE = dt.timedelta(minutes=1)
UNMOVED = (Transition.NOTHING, Transition.STALE)


def load(messages: Sequence[Message], now: dt.datetime, *, viewer: User | None = None) -> State:
    """Return the state that `decide` needs, locked.

    For a `viewer` nothing is locked, and hidden rows are absent.
    """
    state = State(route_specs(), silence_specs(now), storm_limit=settings.STORM_INCIDENTS_PER_MINUTE)
    sources = {message.key: message.source for message in messages}
    for alert in rows.select_in(Alert, "key", sources, lock=viewer is None):
        alert.source = sources[alert.key]
        state.alerts[alert.key] = alert
    if viewer is not None:
        seen = Alert.objects.visible_to(viewer).filter(key__in=state.alerts).values_list("key", flat=True)
        state.alerts = {key: state.alerts[key] for key in seen}
    early = {
        one.key
        for one in messages
        if may_be_out_of_order(one.update, one.received_at) or may_be_late(one.update, state.alerts.get(one.key))
    }
    if early:
        state.early_resolves = {one.key: one for one in EarlyResolve.objects.filter(key__in=early)}
    moved = {message.key for message in messages if _may_move(message, state)}
    reassigned = [message for message in messages if message.key in moved]
    if reassigned:
        may_end = any(message.update.action == Action.RESOLVE for message in reassigned)
        known = [state.alerts[key] for key in moved if key in state.alerts]
        _load_incidents(state, _group_keys(reassigned, state), known, now, may_end=may_end, viewer=viewer)
    return state


def load_stored(alerts: Sequence[Alert], now: dt.datetime, *, may_start: bool) -> State:
    """Return the state of locked alerts: what starts counting now (`may_start`), or ends."""
    state = State(route_specs(), (), {alert.key: alert for alert in alerts})
    state.storm_limit = settings.STORM_INCIDENTS_PER_MINUTE
    groups: dict[str, int | None] = {}
    for alert in alerts if may_start else ():
        route = choose_route(state.routes, stored_facts(alert)).route
        groups[group_of(alert, route)[0]] = route.id if route else None
    _load_incidents(state, groups, alerts, now, may_end=not may_start)
    return state


def _may_move(message: Message, state: State) -> bool:
    """Return whether it is more than a repeat, which locks no incident."""
    update, alert = message.update, state.alerts.get(message.key)
    if update.action not in (Action.FIRE, Action.RESOLVE):
        return True
    if update.action == Action.FIRE and state.route(message).is_drop:
        return False
    transition = next_state(alert, update)
    if transition == Transition.REPEATED and alert is not None:
        return alert.incident_id is None or alert.severity != message.severity
    return transition not in UNMOVED


def _group_keys(messages: Iterable[Message], state: State) -> dict[str, int | None]:
    """Return the groups that alerts may go to, with their routes' ids."""
    groups: dict[str, int | None] = {}
    labels = {key: alert.labels for key, alert in state.alerts.items()}
    for message in messages:
        update, source = message.update, message.source
        is_fire, is_known = update.action == Action.FIRE, message.key in labels
        if is_fire or update.action == Action.RESOLVE:
            if state.route(message).is_drop:
                continue
            if not is_known and next_state(None, update) != Transition.NOTHING:
                labels[message.key] = cut(update.labels)  # they stay those of the first
        if is_fire:
            route = state.route(message).route
        elif update.action != Action.RESOLVE and update.severity and is_known:
            facts = facts_of(labels[message.key], severity=message.severity.word, source=source.name)
            route = choose_route(state.routes, facts).route
        else:
            continue
        alert = Alert(source=source, key=message.key, labels=labels[message.key])
        groups[group_of(alert, route)[0]] = route.id if route else None
    return groups


def _load_incidents(
    state: State,
    groups: Mapping[str, int | None],
    alerts: Sequence[Alert],
    now: dt.datetime,
    *,
    may_end: bool,
    viewer: User | None = None,
) -> None:
    wanted = {*groups, *(storm_key(route_id) for route_id in groups.values())}
    for group in rows.select_in(AlertGroup, "open_key", wanted, lock=viewer is None):
        state.groups[group.key] = group
    ids = {one.incident_id for one in alerts}.union(one.incident_id for one in state.groups.values()) - {None}
    found = rows.select_in(Incident, "id", ids, lock=viewer is None)
    state.incidents = {one.pk: one for one in found if viewer is None or can_see(viewer, one)}
    hidden = {one.pk for one in found} - state.incidents.keys()
    state.groups = {key: group for key, group in state.groups.items() if group.incident_id not in hidden}
    pending = {key for group in state.groups.values() for key, _at in group.pending} - state.alerts.keys()
    if pending:
        waiting = Alert.objects.filter(key__in=pending, incident__isnull=True).select_related("source")
        state.waiting = {alert.key: alert for alert in waiting}
    is_open = {key: _is_open(state, group.incident_id) for key, group in state.groups.items()}
    if state.storm_limit:
        opening = {route_id for key, route_id in groups.items() if not is_open.get(key)}
        state.opened = _opened_lately(opening, now) if opening else {}
    over = {alert.incident_id for alert in alerts if alert.incident_id and not _is_open(state, alert.incident_id)}
    if over and any(is_open.values()):
        past = AlertGroup.objects.filter(incident__in=over, key__in=list(groups))
        state.past = {(key, pk) for key, pk in past.values_list("key", "incident_id") if pk}
    if may_end and ids:
        state.held = _held(state)


def _opened_lately(route_ids: Collection[int | None], now: dt.datetime) -> dict[int | None, int]:
    """Return how many incidents these routes opened in the last minute."""
    of_routes = Q(route__in=[pk for pk in route_ids if pk is not None])
    if None in route_ids:
        of_routes |= Q(route__isnull=True)
    lately = AlertGroup.objects.filter(of_routes, opened_at__gt=now - MINUTE).order_by()
    return dict(lately.values_list("route").annotate(number=Count("pk")))


def _is_open(state: State, incident_id: int | None) -> bool:
    incident = state.incidents.get(incident_id or 0)
    return incident is not None and incident.is_still_open


def _held(state: State) -> set[int]:
    holding = Alert.objects.filter(incident__in=state.incidents)
    busy = holding.filter(Q(status=AlertStatus.FIRING) | Q(is_flapping=True)).order_by()
    stored = dict(busy.values_list("incident").annotate(number=Count("pk")))
    loaded_alerts = Counter(
        alert.incident_id for alert in state.alerts.values() if alert.status == AlertStatus.FIRING or alert.is_flapping
    )
    return {pk for pk, number in stored.items() if number > loaded_alerts[pk]}
