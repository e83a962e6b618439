"""Simulate alerts: load and decide for real, dropping the effects."""

import datetime as dt
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.serializers import Field

from alerts.assigning import group_of
from alerts.decide import decide
from alerts.effects import (
    Effect,
    JoinIncident,
    Judge,
    Message,
    OpenIncident,
    ReopenIncident,
    SaveAlert,
    SaveGroup,
    State,
)
from alerts.models import Alert, Silence
from alerts.routing import choose_route
from alerts.services.loading import load
from alerts.services.processing import read
from alerts.services.words import message_of, serialize_message
from alerts.services.writing import NO_TARGETS, new_incident_of, targets_of
from alerts.transitions import Transition
from alerts.updates import AlertUpdate
from core.errors import DomainError
from incidents.models import Incident
from incidents.permissions import can_see
from incidents.services.opening import NewIncident, default_team
from intake.models import Source
from intake.requests import IntakeError, IntakeRequest
from intake.services.queue import event_of
from intake.vocabulary import IntakeState
from responders.models import Team
from users.models import User

MOST_ALERTS = 50


class SimulationResult(enum.StrEnum):
    """What becomes of an alert."""

    DROPPED = "dropped"
    NOTHING = "nothing"
    RESOLVED = "resolved"
    SILENCED = "silenced"
    STAYS = "stays"
    JOINS = "joins"
    REOPENS = "reopens"
    OPENS = "opens"
    WAITS = "waits"
    STORM = "storm"


DETAILS = {
    SimulationResult.DROPPED: _("A route drops it; only the route's counter changes."),
    SimulationResult.NOTHING: _("It changes nothing: it is out of date, about an unknown alert, or only a note."),
    SimulationResult.RESOLVED: _("It resolves the alert."),
    SimulationResult.SILENCED: _("It is silenced; if it still fires when the silence ends, it gets its incident."),
    SimulationResult.STAYS: _("It updates a known alert, which stays in its incident."),
    SimulationResult.JOINS: _("It joins an open incident."),
    SimulationResult.REOPENS: _("It reopens an incident that ended recently."),
    SimulationResult.OPENS: _("It opens an incident."),
    SimulationResult.WAITS: _("It is recorded; too few alerts of its group have fired to open an incident."),
    SimulationResult.STORM: _("Its route opened too many incidents within a minute; the rest share one."),
}


@dataclass(frozen=True)
class Simulated:
    """For contributors: the message, its result, and its incident, if any."""

    message: Message
    result: SimulationResult
    team: Team | None
    incident: Incident | None
    opening: NewIncident | None
    at: dt.datetime
    viewer: User


@dataclass(frozen=True)
class Contributor:
    """What another app adds under `name`: a JSON value, its field, and lines for the page."""

    name: str
    title: str | Promise
    contribute: Callable[[Simulated], Any]
    field: Callable[[], Field[Any, Any, Any, Any]]
    lines: Callable[[Any], Sequence[str]]


contributors: list[Contributor] = []


def register_contributor(contributor: Contributor) -> None:
    contributors.append(contributor)


def simulate(
    *,
    viewer: User,
    source: Source | None = None,
    alert: Mapping[str, Any] | None = None,
    payload: Any = None,
    headers: Mapping[str, str] | None = None,
    at: dt.datetime | None = None,
) -> dict[str, Any]:
    """Return what would become of an alert, or of each in a payload (RouteSimulatedSerializer's shape).

    What the viewer may not see is absent. Raises DomainError for an unreadable payload.
    """
    now = at or timezone.now()
    sender = source or Source(name="", kind="generic")
    updates = [AlertUpdate(**alert)] if alert is not None else _read(sender, payload, headers or {})
    return {"at": now, "alerts": [_simulate(message_of(sender, one, now), now, viewer) for one in updates]}


def _read(source: Source, payload: Any, headers: Mapping[str, str]) -> list[AlertUpdate]:
    is_text = isinstance(payload, str)
    kinds = {"content-type": "text/plain" if is_text else "application/json"}
    try:
        body = payload.encode() if is_text else orjson.dumps(payload)
    except orjson.JSONEncodeError as error:
        raise DomainError(gettext("The payload is nested too deeply."), field="payload", code="not_read") from error
    request = IntakeRequest("POST", "", {**kinds, **{name.lower(): value for name, value in headers.items()}}, body)
    try:
        reading = read(event_of(request.unpacked, source))
    except IntakeError as error:
        raise DomainError(error.message, field="payload", code="not_read") from error
    if reading.state == IntakeState.FAILED:
        raise DomainError(reading.reason, field="payload", code="not_read")
    if len(reading.updates) > MOST_ALERTS:
        raise DomainError(
            gettext("At most %(alerts)s alerts are simulated at once.") % {"alerts": MOST_ALERTS}, field="payload"
        )
    return reading.updates


def _simulate(message: Message, now: dt.datetime, viewer: User) -> dict[str, Any]:
    state = load([message], now, viewer=viewer)
    effects = decide(state, [message], now)
    saved = next((effect.alert for effect in effects if isinstance(effect, SaveAlert)), None)
    alert = saved or state.alerts.get(message.key)
    transition = next(effect.transition for effect in effects if isinstance(effect, Judge))
    result = _result(effects, transition, alert)
    opening = next(
        (
            new_incident_of(effect, targets_of(effect.route) if effect.route else NO_TARGETS)
            for effect in effects
            if isinstance(effect, OpenIncident)
        ),
        None,
    )
    incident = None if opening or result == SimulationResult.DROPPED else _incident(effects, alert, viewer)
    team = _team(result, opening, incident)
    simulated = Simulated(message, result, team, incident, opening, now, viewer)
    return {
        "alert": serialize_message(message),
        "outcome": transition.value if transition else None,
        **_way(state, message),
        "silence": _silence(alert) if result == SimulationResult.SILENCED else None,
        "result": result.value,
        "detail": str(DETAILS[result]),
        "incident": _serialize_incident(incident) if incident else None,
        "opening": _serialize_opening(opening, team) if opening else None,
        **{one.name: one.contribute(simulated) for one in contributors},
    }


def _result(effects: Sequence[Effect], transition: Transition | None, alert: Alert | None) -> SimulationResult:
    if transition is None:
        return SimulationResult.DROPPED
    if transition == Transition.RESOLVED:
        return SimulationResult.RESOLVED
    if alert is None or transition not in (Transition.NEW, Transition.REPEATED, Transition.REFIRED):
        return SimulationResult.NOTHING
    kinds = {type(effect): effect for effect in effects}
    opened = kinds.get(OpenIncident)
    if isinstance(opened, OpenIncident):
        return SimulationResult.STORM if opened.group.is_storm else SimulationResult.OPENS
    for kind, result in (
        (ReopenIncident, SimulationResult.REOPENS),
        (JoinIncident, SimulationResult.JOINS),
        (SaveGroup, SimulationResult.WAITS),
    ):
        if kind in kinds:
            return result
    return SimulationResult.SILENCED if alert.silenced_by_id else SimulationResult.STAYS


def _incident(effects: Sequence[Effect], alert: Alert | None, viewer: User) -> Incident | None:
    joined = next((effect.incident for effect in effects if isinstance(effect, JoinIncident)), None)
    number = joined.pk if isinstance(joined, Incident) else alert.incident_id if alert else None
    incident = Incident.objects.select_related("team").filter(pk=number).first() if number else None
    return incident if incident is not None and can_see(viewer, incident) else None


def _team(result: SimulationResult, opening: NewIncident | None, incident: Incident | None) -> Team | None:
    if opening is not None:
        return opening.team or default_team(opening.services, opening.category)
    return incident.team if incident and result in (SimulationResult.JOINS, SimulationResult.REOPENS) else None


def _way(state: State, message: Message) -> dict[str, Any]:
    decision = choose_route(state.routes, message.facts, explain=True)
    alert = Alert(source=message.source, key=message.key, labels=message.update.labels)
    route = decision.route
    return {
        "route": {"id": route.id, "name": route.name} if route else None,
        "passed": [{"id": one.id, "name": one.name, "reason": reason} for one, reason in decision.passed],
        "group_by": group_of(alert, route)[1],
    }


def _silence(alert: Alert | None) -> dict[str, Any] | None:
    number = alert.silenced_by_id if alert else None
    silence = Silence.objects.filter(pk=number).first() if number else None
    return {"id": silence.pk, "comment": silence.comment, "ends_at": silence.ends_at} if silence else None


def _serialize_incident(incident: Incident) -> dict[str, Any]:
    return {"id": incident.pk, "reference": incident.reference, "title": incident.title, "status": incident.status}


def _serialize_opening(opening: NewIncident, team: Team | None) -> dict[str, Any]:
    return {
        "title": opening.title,
        "severity": opening.severity_or_default.word,
        "priority": opening.priority.word if opening.priority else None,
        "team": team.pk if team else None,
        "category": opening.category.slug if opening.category else None,
        "services": [service.slug for service in opening.services],
    }
