"""What would become of an alert, by the very code that sees to real ones; nothing of it is kept."""

import datetime as dt
import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from alerts.matching import facts_of
from alerts.models import Alert, Silence
from alerts.routing import Decision, RouteSpec, alert_key, decide, group_labels
from alerts.services.applying import BatchProcessor, Message, severity_of
from alerts.services.opening import GroupState, IncidentAssigner
from alerts.services.processing import read
from alerts.services.words import as_taught, not_understood, sentence_of
from alerts.transitions import Transition
from alerts.updates import AlertUpdate
from core.db.transactions import unit_of_work
from core.errors import DomainError
from incidents.models import EventKind, Incident
from incidents.permissions import can_see
from incidents.services.batches import Opening
from incidents.services.opening import default_team
from intake.models import Source
from intake.requests import IntakeError, IntakeRequest
from intake.services.queue import event_of
from intake.vocabulary import IntakeState
from responders.models import Team
from users.models import User

MOST_ALERTS = 50
MOST_TOLD = 100


class SimulationResult(enum.StrEnum):
    """What becomes of an alert."""

    DROPPED = "dropped"  # a route drops it
    NOTHING = "nothing"  # it changes nothing
    RESOLVED = "resolved"  # it is over
    SILENCED = "silenced"  # recorded, and quiet while the silence lasts
    STAYS = "stays"  # it is where it belongs already
    JOINS = "joins"  # it joins an open incident
    REOPENS = "reopens"  # it joins one that ended lately, and opens it again
    OPENS = "opens"  # it opens an incident
    WAITS = "waits"  # not enough of its group has fired to open one
    STORM = "storm"  # its route has opened too many; it opens the one that takes in the rest


class _Rehearsal(BatchProcessor):
    """One message, folded; nothing is written. What the viewer may not see is as if it were not there."""

    def __init__(self, now: dt.datetime, viewer: User) -> None:
        super().__init__(now)
        self.viewer = viewer

    def meet(self, message: Message) -> Transition | None:
        """What it means; None when a route drops it."""
        self._load({message.key: message.source})
        seen = Alert.objects.visible_to(self.viewer).filter(key__in=self.alerts).values_list("key", flat=True)
        self.alerts = {key: self.alerts[key] for key in seen}
        return self._take(message)


class _Placing(IncidentAssigner):
    """Finds an alert's place; what would be opened is planned only. Hidden incidents take in nothing."""

    def __init__(self, now: dt.datetime, rules: Sequence[RouteSpec], viewer: User) -> None:
        super().__init__(now, rules)
        self.viewer = viewer

    def _load(self, keys: Collection[str], alerts: Iterable[Alert]) -> None:
        super()._load(keys, alerts)
        hidden = {pk for pk, incident in self.locked.items() if not can_see(self.viewer, incident)}
        self.locked = {pk: incident for pk, incident in self.locked.items() if pk not in hidden}
        for slot in self.slots.values():
            if slot.incident is not None and slot.incident.pk in hidden:
                slot.group = slot.incident = None

    def _open(self) -> None:
        """Nothing is opened."""

    def planned(self) -> GroupState | None:
        """Where an incident would be opened."""
        return next((slot for slot in self.slots.values() if slot.opening is not None), None)

    def is_reopened(self, incident: Incident) -> bool:
        """Whether it would open again."""
        entry = self.entries.get(incident.pk)
        return entry is not None and any(event.kind == EventKind.REOPENED for event in entry.events)


def simulate(
    *,
    viewer: User,
    source: Source | None = None,
    alert: Mapping[str, Any] | None = None,
    payload: Any = None,
    headers: Mapping[str, str] | None = None,
    at: dt.datetime | None = None,
) -> dict[str, Any]:
    """What would become of an alert (a AlertUpdate's members), or of each alert in a source's payload, at that time.

    The shape is RouteSimulatedSerializer's. Alerts and incidents that the viewer may not see are left out of account,
    so that the answer does not tell that they are there. Raises DomainError
    for a payload that cannot be read.
    """
    now = at or timezone.now()
    sender = source or Source(name="", kind="generic")
    drafts = [AlertUpdate(**alert)] if alert is not None else _read(sender, payload, headers or {})
    return {"at": now, "alerts": [_rehearse(draft, sender, now, viewer) for draft in drafts]}


def _read(source: Source, payload: Any, headers: Mapping[str, str]) -> list[AlertUpdate]:
    is_text = isinstance(payload, str)
    kinds = {"content-type": "text/plain" if is_text else "application/json"}
    try:
        body = payload.encode() if is_text else orjson.dumps(payload)
    except orjson.JSONEncodeError as error:
        raise DomainError("The payload is nested too deeply.", field="payload", code="not_read") from error
    incoming = IntakeRequest("POST", "", {**kinds, **{name.lower(): value for name, value in headers.items()}}, body)
    try:
        reading = read(event_of(incoming.unpacked, source), source)
    except IntakeError as error:
        raise DomainError(error.message, field="payload", code="not_read") from error
    if reading.state == IntakeState.FAILED:
        raise DomainError(reading.reason, field="payload", code="not_read")
    if len(reading.drafts) > MOST_ALERTS:
        raise DomainError(f"At most {MOST_ALERTS} alerts are simulated at once.", field="payload")
    return [as_taught(source, draft) for draft in reading.drafts]


@unit_of_work
def _rehearse(draft: AlertUpdate, source: Source, now: dt.datetime, viewer: User) -> dict[str, Any]:
    batch, placing = _Rehearsal(now, viewer), None
    message = Message(draft, source, now, alert_key(source.pk or 0, draft.identity))
    outcome = batch.meet(message)
    alert = batch.alerts.get(message.key)
    started = batch.started.get(message.key)
    if started is not None:
        placing = _Placing(now, batch.rules, viewer)
        placing.place([started], [], [])
    severity = severity_of(source, draft).word
    decision = decide(batch.rules, facts_of(draft.labels, severity=severity, source=source.name), explain=True)
    fate = _fate(outcome, alert, placing)
    shown = {
        "alert": _told(source, draft, severity),
        "outcome": outcome.value if outcome else None,
        **_way(decision, source, draft),
        "silence": _silence(alert) if fate == SimulationResult.SILENCED else None,
        "fate": fate.value,
        "detail": DETAILS[fate],
        **_place(alert, placing.planned() if placing else None, fate, viewer),
    }
    transaction.set_rollback(True)  # for good measure: nothing was written
    return shown


def _fate(outcome: Transition | None, alert: Alert | None, placing: _Placing | None) -> SimulationResult:
    if outcome is None:
        return SimulationResult.DROPPED
    if outcome == Transition.RESOLVED:
        return SimulationResult.RESOLVED
    if alert is None or outcome not in (Transition.NEW, Transition.REPEATED, Transition.REFIRED):
        return SimulationResult.NOTHING
    if placing is None:
        return SimulationResult.SILENCED if alert.silenced_by_id else SimulationResult.STAYS
    return _fate_of_place(alert, placing)


def _fate_of_place(alert: Alert, placing: _Placing) -> SimulationResult:
    slot = placing.planned()
    if slot is not None:
        return SimulationResult.STORM if slot.is_storm else SimulationResult.OPENS
    if alert.incident is None:
        return SimulationResult.WAITS
    return SimulationResult.REOPENS if placing.is_reopened(alert.incident) else SimulationResult.JOINS


DETAILS = {
    SimulationResult.DROPPED: "The route drops it; nothing but its number is kept.",
    SimulationResult.NOTHING: "It changes nothing: it is older than the alert, of an unknown alert, or only a note.",
    SimulationResult.RESOLVED: "It ends the alert.",
    SimulationResult.SILENCED: "It is silenced; if it still fires when the silence ends, it gets its incident.",
    SimulationResult.STAYS: "It is known, and is where it belongs.",
    SimulationResult.JOINS: "It joins an open incident.",
    SimulationResult.REOPENS: "It opens an incident again that ended lately.",
    SimulationResult.OPENS: "It opens an incident.",
    SimulationResult.WAITS: "It is recorded; too little of its group has fired to open an incident.",
    SimulationResult.STORM: "Its route opened too many incidents within a minute; the rest join one.",
}


def _told(source: Source, draft: AlertUpdate, severity: str) -> dict[str, Any]:
    return {
        "title": draft.title,
        "action": draft.action.value,
        "severity": severity,
        "fingerprint": draft.identity,
        "labels": dict(draft.labels),
        "not_understood": sentence_of(not_understood(source, draft).items()),
    }


def _way(decision: Decision, source: Source, draft: AlertUpdate) -> dict[str, Any]:
    rule = decision.rule
    names = rule.group_by if rule is not None and rule.group_by is not None else source.group_by
    return {
        "route": {"id": rule.id, "name": rule.name} if rule else None,
        "passed": [{"id": one.id, "name": one.name, "reason": reason} for one, reason in decision.passed],
        "group_by": group_labels(names, draft.labels),
    }


def _silence(alert: Alert | None) -> dict[str, Any] | None:
    number = alert.silenced_by_id if alert else None
    silence = Silence.objects.filter(pk=number).first() if number else None
    return {"id": silence.pk, "comment": silence.comment, "ends_at": silence.ends_at} if silence else None


def _place(alert: Alert | None, planned: GroupState | None, fate: SimulationResult, viewer: User) -> dict[str, Any]:
    """The incident it goes to, or the one it opens, and who would be told of it."""
    nowhere: dict[str, Any] = {"incident": None, "opening": None, "notified": []}
    if planned is not None and planned.opening is not None:
        opening = planned.opening
        team = opening.team or default_team(opening.services, opening.category)
        return {**nowhere, "opening": _opening(opening, team), "notified": _members(team)}
    incident = alert.incident if alert is not None and fate != SimulationResult.DROPPED else None
    if incident is None or not can_see(viewer, incident):
        return nowhere
    incident = Incident.objects.select_related("team").get(pk=incident.pk)  # as it is, not as it would be
    named = {"id": incident.pk, "reference": incident.reference, "title": incident.title, "status": incident.status}
    is_told = fate in (SimulationResult.JOINS, SimulationResult.REOPENS)
    return {**nowhere, "incident": named, "notified": _members(incident.team) if is_told else []}


def _opening(opening: Opening, team: Team | None) -> dict[str, Any]:
    return {
        "title": opening.title,
        "severity": opening.severity.word,
        "priority": opening.priority.word if opening.priority else None,
        "team": team.pk if team else None,
        "category": opening.category.slug if opening.category else None,
        "services": [service.slug for service in opening.services],
    }


def _members(team: Team | None) -> list[dict[str, Any]]:
    if team is None:
        return []
    people = User.objects.active().filter(teams=team).order_by("name", "id")[:MOST_TOLD]
    return [{"id": user.pk, "name": user.name} for user in people]
