"""What messages do to alerts, groups and incidents. Pure: from a state to a list of effects, no query and no clock.

Each message is applied to its alert first; what begins to fire is then given its incident, and what has ended may end
its incident. docs/alerts.md says the rules in sentences.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import replace

from django.db.models.base import ModelState

from alerts.assigning import FiringAlert, IncidentAssigner
from alerts.effects import (
    CountRoute,
    Effect,
    Judge,
    Message,
    RememberEarlyResolve,
    SaveAlert,
    State,
)
from alerts.matching import facts_of
from alerts.models import Alert, EarlyResolve
from alerts.routing import Decision, choose_route, silence_for
from alerts.transitions import (
    Transition,
    is_flapping,
    is_late,
    may_be_late,
    may_be_out_of_order,
    next_state,
    with_change,
)
from alerts.updates import FINGERPRINT_LENGTH, TITLE_LENGTH, Action, AlertUpdate
from alerts.vocabulary import AlertStatus, Ending
from core.severity import Severity

MINUTE = dt.timedelta(minutes=1)
UNTIMED_EXPIRY = dt.timedelta(days=1)  # of what has no times, or may never say that it is over
MAX_LABELS = 100
LABEL_LENGTH = 2000
TEXT_LENGTH = 20_000
NOT_UNDERSTOOD = "not understood"  # the annotation that tells of unknown words

COUNTED = ("occurrences", "last_seen_at", "expires_at")
TOLD = ("severity", "title", "description", "annotations", "links")
STATE = ("status", "starts_at", "ends_at", "ended_by", "incident", "silenced_by", "is_flapping", "changes")
FIRED = (Transition.NEW, Transition.REFIRED, Transition.REPEATED)


def decide(state: State, messages: Iterable[Message], now: dt.datetime) -> list[Effect]:
    """Return all effects of the messages, in the order in which they count."""
    batch = BatchProcessor(state, now)
    for message in messages:
        batch.judge(message)
    incidents = IncidentAssigner(state, batch.alerts, now)
    incidents.assign(batch.started.values())
    incidents.apply_actions(batch.pending_notes)
    if batch.ended:
        incidents.end(batch.ended.values())
    incidents.apply_actions(batch.closing_notes)
    return batch.finish() + incidents.effects


def decide_released(state: State, now: dt.datetime) -> list[Effect]:
    """Return the effects of silences that no longer hold the state's alerts back."""
    alerts = {key: copy_of(alert) for key, alert in state.alerts.items()}
    incidents = IncidentAssigner(state, alerts, now)
    decisions = [(alert, choose_route(state.routes, stored_facts(alert))) for alert in alerts.values()]
    started = [FiringAlert(alert, one.route, Transition.NEW) for alert, one in decisions if not one.is_drop]
    incidents.assign(started)
    for alert in alerts.values():
        alert.silenced_by = None
    return [*(SaveAlert(alert, ("incident", "silenced_by")) for alert in alerts.values()), *incidents.effects]


def decide_cleared(state: State, now: dt.datetime) -> list[Effect]:
    """Return the effects of the state's alerts not flapping any more."""
    alerts = {key: copy_of(alert) for key, alert in state.alerts.items()}
    for alert in alerts.values():
        alert.is_flapping = False
    incidents = IncidentAssigner(state, alerts, now)
    incidents.end(alert for alert in alerts.values() if alert.status == AlertStatus.RESOLVED)
    return [*(SaveAlert(alert, ("is_flapping",)) for alert in alerts.values()), *incidents.effects]


def copy_of(alert: Alert) -> Alert:
    """Return a copy of a row; `copy.copy`, which goes by way of pickling, takes ten times as long."""
    copied = Alert.__new__(Alert)
    vars(copied).update(vars(alert))
    copied._state = ModelState()
    copied._state.db, copied._state.adding = alert._state.db, alert._state.adding
    copied._state.fields_cache = {**alert._state.fields_cache}
    return copied


def stored_facts(alert: Alert) -> dict[str, str]:
    """Return what matchers look at of a stored alert."""
    return facts_of(alert.labels, severity=Severity(alert.severity).word, source=alert.source.name)


class BatchProcessor:
    """The alerts of one batch as they come to stand; the state stays as it was."""

    def __init__(self, state: State, now: dt.datetime) -> None:
        self.state, self.now = state, now
        self.effects: list[Effect] = []
        self.alerts = {key: copy_of(alert) for key, alert in state.alerts.items()}
        self.changed: dict[str, set[str]] = {}
        self.early_resolves = dict(state.early_resolves)
        self.matched: Counter[int] = Counter()
        self.dropped: Counter[int] = Counter()
        self.started: dict[str, FiringAlert] = {}
        self.ended: dict[str, Alert] = {}
        self.pending_notes: list[tuple[Alert, AlertUpdate]] = []
        self.closing_notes: list[tuple[Alert, AlertUpdate]] = []  # said with the end of an alert, or after it

    def judge(self, message: Message) -> None:
        """Apply a message to its alert."""
        is_note = message.update.action in (Action.ACKNOWLEDGE, Action.NOTE)
        transition = self._hear_note(message) if is_note else self._apply(message)
        self.effects.append(Judge(message, transition))

    def _hear_note(self, message: Message) -> Transition:
        alert, update = self.alerts.get(message.key), message.update
        if alert is None:
            return Transition.NOTHING
        if update.severity and alert.status == AlertStatus.FIRING:
            self._update_severity(alert, message.severity)
        (self.closing_notes if alert.key in self.ended else self.pending_notes).append((alert, update))
        return Transition.REPEATED

    def _update_severity(self, alert: Alert, severity: Severity) -> None:
        changed = self.changed.setdefault(alert.key, set())
        if NOT_UNDERSTOOD in alert.annotations:
            alert.annotations = {name: said for name, said in alert.annotations.items() if name != NOT_UNDERSTOOD}
            changed.add("annotations")
        if alert.severity != severity:
            alert.severity = severity
            changed.add("severity")
            facts = stored_facts(alert)
            self._start(alert, choose_route(self.state.routes, facts), facts, Transition.REPEATED)

    def _apply(self, message: Message) -> Transition | None:
        update, alert, decision = message.update, self.alerts.get(message.key), self.state.route(message)
        is_firing = alert is not None and alert.status == AlertStatus.FIRING
        if decision.route is not None:
            self.matched[decision.route.id] += 1
            # Should a route drop the end of what fires, that would fire for ever.
            if decision.is_drop and not (is_firing and update.action == Action.RESOLVE):
                self.dropped[decision.route.id] += 1
                return None
        early = self.early_resolves.get(message.key)
        if (
            early is not None
            and may_be_late(update, alert)
            and is_late(update, message.received_at, ended_at=early.ended_at, heard_at=early.received_at)
        ):
            end = replace(message, update=replace(update, action=Action.RESOLVE, ends_at=early.ended_at))
            self._change(end, next_state(alert, end.update), decision)
        transition = next_state(self.alerts.get(message.key), update)
        if transition == Transition.NOTHING and may_be_out_of_order(update, message.received_at):
            self._remember_end(message)
        if update.is_expiry and (alert is None or alert.expires_at is None or alert.expires_at > self.now):
            return Transition.STALE  # heard of again since it was found to have expired
        self._change(message, transition, decision)
        if alert is not None and transition == Transition.RESOLVED and update.note:
            self.closing_notes.append((alert, update))
        return transition

    def _remember_end(self, message: Message) -> None:
        known, ended_at = self.early_resolves.get(message.key), message.update.ends_at
        if ended_at is not None and (known is None or known.ended_at < ended_at):
            early = copy(known) if known else EarlyResolve(key=message.key)
            early.ended_at, early.received_at = ended_at, message.received_at
            self.early_resolves[message.key] = early

    def _change(self, message: Message, transition: Transition, decision: Decision) -> None:
        update, alert, at = message.update, self.alerts.get(message.key), message.received_at
        if alert is None and transition in (Transition.NEW, Transition.ENDED_UNSEEN):
            alert = self.alerts[message.key] = _new_alert(message)
            self.changed[message.key] = set()
        if alert is None or transition == Transition.NOTHING:
            return
        changed = self.changed.setdefault(message.key, set())
        if update.action == Action.FIRE and transition != Transition.NEW:
            changed |= _count(alert, message, is_stale=transition == Transition.STALE)
        if transition in (Transition.RESOLVED, Transition.ENDED_UNSEEN):
            changed.update(STATE)
            alert.status, alert.expires_at = AlertStatus.RESOLVED, None
            # The end may overtake the beginning: what then says that it began is late.
            alert.starts_at = max(alert.starts_at, update.starts_at or alert.starts_at)
            alert.ends_at = max(update.ends_at or at, alert.starts_at)
            alert.ended_by = Ending.EXPIRY if update.is_expiry else Ending.SENDER
        elif transition == Transition.REFIRED:
            # Our own clock may have been set back since the end.
            since = max(at, alert.ends_at or alert.starts_at)
            alert.status, alert.ends_at, alert.ended_by = AlertStatus.FIRING, None, ""
            alert.starts_at = update.starts_at or since
        if transition in (Transition.NEW, Transition.REFIRED, Transition.RESOLVED):
            changed.update(STATE)
            alert.changes = with_change(alert.changes, at)
            alert.is_flapping = is_flapping(alert.changes, at)
            self.ended.pop(alert.key, None)
        if transition == Transition.RESOLVED:
            self.ended[alert.key] = alert
        if transition in FIRED:
            self._start(alert, decision, message.facts, transition)

    def _start(self, alert: Alert, decision: Decision, facts: Mapping[str, str], transition: Transition) -> None:
        changed = self.changed[alert.key]
        is_settled = alert.incident_id is not None and "severity" not in changed
        if transition == Transition.REPEATED and (is_settled or alert.key in self.started):
            return
        may_be_quiet = alert.incident_id is None or transition != Transition.REPEATED
        silence = silence_for(self.state.silences, facts, self.now) if may_be_quiet else None
        alert.silenced_by_id = silence.id if silence else None
        changed.add("silenced_by")
        if silence is None:
            self.started[alert.key] = FiringAlert(alert, decision.route, transition)

    def finish(self) -> list[Effect]:
        """Return the effects, those on alerts and routes among them."""
        for key, names in self.changed.items():
            if names or key not in self.state.alerts:
                columns = COUNTED if names <= set(COUNTED) else (*COUNTED, *TOLD, *STATE)
                self.effects.append(SaveAlert(self.alerts[key], columns))
        known = self.state.early_resolves
        news = [early for key, early in self.early_resolves.items() if early is not known.get(key)]
        self.effects += [RememberEarlyResolve(early) for early in news]
        self.effects += [CountRoute(pk, self.matched[pk], self.dropped[pk]) for pk in sorted(self.matched)]
        return self.effects


def _new_alert(message: Message) -> Alert:
    update, at = message.update, message.received_at
    is_over = update.action == Action.RESOLVE
    starts_at = update.starts_at or at
    return Alert(
        source=message.source,
        key=message.key,
        fingerprint=update.identity[:FINGERPRINT_LENGTH],
        status=AlertStatus.RESOLVED if is_over else AlertStatus.FIRING,
        severity=message.severity,
        title=update.title[:TITLE_LENGTH] or "Alert",
        description=update.description[:TEXT_LENGTH],
        labels=cut(update.labels),
        annotations=cut(update.annotations),
        links=list(update.links)[:MAX_LABELS],
        starts_at=starts_at,
        ends_at=max(update.ends_at or at, starts_at) if is_over else None,
        ended_by=Ending.SENDER if is_over else "",
        first_seen_at=at,
        last_seen_at=at,
        occurrences=0 if is_over else 1,
        expires_at=None if is_over else _expiry(message),
    )


def _count(alert: Alert, message: Message, *, is_stale: bool) -> set[str]:
    alert.occurrences += 1
    alert.last_seen_at = max(alert.last_seen_at, message.received_at)
    if is_stale:
        return set(COUNTED)
    update = message.update
    alert.expires_at = _expiry(message)
    reported = {
        "severity": message.severity,
        "title": update.title[:TITLE_LENGTH] or "Alert",
        "description": update.description[:TEXT_LENGTH],
        "annotations": cut(update.annotations),
        "links": list(update.links)[:MAX_LABELS],
    }
    changed = {name for name, value in reported.items() if getattr(alert, name) != value}
    for name in changed:
        setattr(alert, name, reported[name])
    return changed.union(COUNTED)


def _expiry(message: Message) -> dt.datetime | None:
    update, at = message.update, message.received_at
    if update.ends_at is not None:
        return update.ends_at
    if message.source.expire_minutes:
        return at + message.source.expire_minutes * MINUTE
    return None if update.starts_at and not update.may_never_end else at + UNTIMED_EXPIRY


def cut(values: Mapping[str, str]) -> dict[str, str]:
    """Return labels or annotations as they are kept."""
    return {name[:200]: value[:LABEL_LENGTH] for name, value in list(values.items())[:MAX_LABELS]}
