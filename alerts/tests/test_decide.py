"""What messages do, without a database: tables of state and messages to effects."""

import copy
import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.test import SimpleTestCase

from alerts.assigning import group_of
from alerts.decide import decide, decide_cleared, decide_released
from alerts.effects import (
    AcknowledgeIncident,
    CountRoute,
    Effect,
    JoinIncident,
    Judge,
    Message,
    OpenIncident,
    RememberEarlyResolve,
    SaveAlert,
    State,
    storm_key,
)
from alerts.matching import matchers_from
from alerts.models import Alert, AlertGroup, EarlyResolve
from alerts.routing import RouteSpec, SilenceSpec, alert_key
from alerts.transitions import Transition
from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertStatus
from core.severity import Severity
from incidents.models import Incident, Status
from intake.models import Source

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
SOURCE = Source(pk=1, name="Prometheus", kind="alertmanager", group_by=["host"], reopen_minutes=60, auto_resolve=True)
LABELS = {"host": "db"}
EVERYTHING = RouteSpec(7, "all", ())


def told(name: str = "a", action: Action = Action.FIRE, severity: Severity = Severity.MEDIUM, **fields: Any) -> Message:
    update = AlertUpdate(**{"title": name, "fingerprint": name, "labels": LABELS, "action": action, **fields})
    return Message(update, SOURCE, NOON, alert_key(SOURCE.pk, name), severity)


def known(name: str = "a", *, incident: Incident | None = None, is_over: bool = False, **fields: Any) -> Alert:
    """An alert that fires since an hour, or did until five minutes ago."""
    alert = Alert(
        pk=sum(name.encode()),
        source=SOURCE,
        key=alert_key(SOURCE.pk, name),
        fingerprint=name,
        title=name,
        severity=Severity.MEDIUM,
        labels=LABELS,
        status=AlertStatus.RESOLVED if is_over else AlertStatus.FIRING,
        starts_at=NOON - 60 * MINUTE,
        ends_at=NOON - 5 * MINUTE if is_over else None,
        first_seen_at=NOON - 60 * MINUTE,
        last_seen_at=NOON - 60 * MINUTE,
        incident=incident,
        **fields,
    )
    alert._state.adding = False
    return alert


def incident_of(status: Status = Status.OPEN, *, ended: int = 0, **fields: Any) -> Incident:
    """An incident that ended so many minutes ago, or goes on."""
    ended_at = NOON - ended * MINUTE if ended else None
    return Incident(pk=5, status=status, severity=Severity.MEDIUM, resolved_at=ended_at, **fields)


def group_for(incident: Incident | None, route: RouteSpec | None = None, **fields: Any) -> AlertGroup:
    key, labels = group_of(known(), route)
    return AlertGroup(pk=3, key=key, open_key=key, incident=incident, labels=labels, **fields)


def state_of(*alerts: Alert, group: AlertGroup | None = None, **fields: Any) -> State:
    incidents = {alert.incident.pk: alert.incident for alert in alerts if alert.incident is not None}
    if group is not None and group.incident is not None:
        incidents[group.incident.pk] = group.incident
    groups = {group.key: group} if group is not None else {}
    return State(alerts={alert.key: alert for alert in alerts}, groups=groups, incidents=incidents, **fields)


def names(effects: Iterable[Effect]) -> str:
    """What happens to incidents, in words."""
    bookkeeping = (Judge, SaveAlert, CountRoute, RememberEarlyResolve)
    return " ".join(type(effect).__name__ for effect in effects if not isinstance(effect, bookkeeping))


class IncidentTests(SimpleTestCase):
    """One firing alert × what stands of its group."""

    def test_it_finds_the_incident(self) -> None:
        table: list[tuple[str, Incident | None, str]] = [
            ("no group", None, "OpenIncident SaveGroup"),
            ("open", incident_of(), "JoinIncident"),
            ("acknowledged", incident_of(Status.ACKNOWLEDGED), "JoinIncident"),
            ("ended just now", incident_of(Status.RESOLVED, ended=5), "ReopenIncident JoinIncident"),
            ("ended long ago", incident_of(Status.RESOLVED, ended=90), "SaveGroup OpenIncident SaveGroup"),
            ("deleted", incident_of(deleted_at=NOON), "SaveGroup OpenIncident SaveGroup"),
            ("milder", Incident(pk=5, status=Status.OPEN, severity=Severity.LOW), "JoinIncident RaiseSeverity"),
        ]
        for name, incident, expected in table:
            with self.subTest(name):
                group = group_for(incident) if incident else None

                effects = decide(state_of(group=group), [told()], NOON)

                self.assertEqual(names(effects), expected)

    def test_it_sees_to_an_alert_that_is_known(self) -> None:
        fires, over = incident_of(), incident_of(Status.RESOLVED, ended=5)
        refire = {"starts_at": NOON - MINUTE}
        table = [
            ("repeats", known(incident=fires), told(), ""),
            ("gets worse", known(incident=fires), told(severity=Severity.HIGH), "RaiseSeverity"),
            ("gets better", known(incident=fires), told(severity=Severity.LOW), ""),
            ("repeats after a person resolved", known(incident=over), told(), ""),
            ("fires anew", known(incident=over), told(**refire), "ReopenIncident JoinIncident"),
            ("ends", known(incident=fires), told(action=Action.RESOLVE), "AddEvent ResolveIncident"),
            ("is acknowledged", known(incident=fires), told(action=Action.ACKNOWLEDGE), "AcknowledgeIncident"),
            ("is acknowledged late", known(incident=over), told(action=Action.ACKNOWLEDGE), ""),
            ("is spoken of", known(incident=fires), told(action=Action.NOTE, note="Hm."), "AddEvent"),
        ]
        for name, alert, message, expected in table:
            with self.subTest(name):
                group = group_for(alert.incident)

                self.assertEqual(names(decide(state_of(alert, group=group), [message], NOON)), expected)

    def test_it_resolves_once_nothing_fires_any_more(self) -> None:
        incident = incident_of()
        one, two = known("a", incident=incident), known("b", incident=incident)
        ends = [told(name, Action.RESOLVE) for name in "ab"]
        flapping = known("a", incident=incident, changes=[int((NOON - MINUTE).timestamp())] * 5)

        both = decide(state_of(one, two), ends, NOON)
        first = decide(state_of(one, two), ends[:1], NOON)
        held = decide(state_of(one, held={incident.pk}), ends[:1], NOON)
        flaps = decide(state_of(flapping), ends[:1], NOON)

        self.assertEqual(
            [names(one) for one in (both, first, held, flaps)], ["AddEvent ResolveIncident", "AddEvent", "AddEvent", ""]
        )

    def test_it_opens_one_incident_for_all_of_a_group(self) -> None:
        effects = decide(state_of(), [told("a"), told("b", severity=Severity.HIGH)], NOON)

        self.assertEqual(names(effects), "OpenIncident JoinIncident RaiseSeverity SaveGroup")

    def test_it_waits_until_enough_has_fired(self) -> None:
        route = replace(EVERYTHING, open_after_count=3)
        early = known("early")
        at = (NOON - MINUTE).timestamp()
        group = group_for(None, route, pending=[[early.key, at]])

        two = decide(state_of(group=group, routes=[route]), [told("a")], NOON)
        three = decide(state_of(group=group, routes=[route], waiting={early.key: early}), [told("a"), told("b")], NOON)
        late = decide(state_of(group=group, routes=[route]), [told("a"), told("b")], NOON + 10 * MINUTE)

        self.assertEqual([names(effects) for effects in (two, late)], ["SaveGroup"] * 2)
        self.assertEqual(names(three), "OpenIncident JoinIncident JoinIncident SaveGroup")
        self.assertEqual([one.alert.title for one in three if isinstance(one, JoinIncident)], ["a", "early"])

    def test_it_gathers_a_storm_in_one_incident(self) -> None:
        messages = [told(name, labels={"host": name}) for name in "abcd"]

        effects = decide(state_of(storm_limit=2, opened={None: 1}), messages, NOON)

        opened = [one for one in effects if isinstance(one, OpenIncident)]
        self.assertEqual([one.title for one in opened], ["a", "Alert storm: more than 2 incidents a minute"])
        self.assertEqual(opened[1].group.key, storm_key(None))
        self.assertEqual([one.alert.title for one in effects if isinstance(one, JoinIncident)], ["c", "d"])

    def test_it_counts_a_missing_label_as_empty(self) -> None:
        source = Source(pk=1, group_by=["a", "b"])
        found = [
            group_of(Alert(source=source, key="k", labels=labels), None)[1] for labels in ({}, {"a": ""}, {"c": "1"})
        ]

        self.assertEqual(found, [{"a": "", "b": ""}] * 3)
        self.assertEqual(group_of(Alert(source=Source(pk=1, group_by=[]), labels={"a": "1"}), None)[1], {})


class AlertTests(SimpleTestCase):
    """Messages to alerts."""

    def test_it_tells_what_each_message_meant(self) -> None:
        drop = replace(EVERYTHING, is_drop=True)
        table: list[tuple[str, State, Message, Transition | None]] = [
            ("new", state_of(), told(), Transition.NEW),
            ("repeated", state_of(known()), told(), Transition.REPEATED),
            ("over", state_of(known()), told(action=Action.RESOLVE), Transition.RESOLVED),
            ("back", state_of(known(is_over=True)), told(), Transition.REFIRED),
            ("unknown end", state_of(), told(action=Action.RESOLVE), Transition.NOTHING),
            ("unknown note", state_of(), told(action=Action.NOTE, note="x"), Transition.NOTHING),
            ("dropped", state_of(routes=[drop]), told(), None),
            ("end of what fires", state_of(known(), routes=[drop]), told(action=Action.RESOLVE), Transition.RESOLVED),
            ("void expiry", state_of(known()), told(action=Action.RESOLVE, is_expiry=True), Transition.STALE),
        ]
        for name, state, message, expected in table:
            with self.subTest(name):
                effects = decide(state, [message], NOON)

                self.assertEqual([one.transition for one in effects if isinstance(one, Judge)], [expected])

    def test_it_writes_no_more_columns_than_changed(self) -> None:
        table = [(told(), 3), (told(title="Worse"), 16), (told(action=Action.NOTE, note="x"), 0)]
        for message, expected in table:
            with self.subTest(message.update.title):
                effects = decide(state_of(known(incident=incident_of())), [message], NOON)

                self.assertEqual(sum(len(one.columns) for one in effects if isinstance(one, SaveAlert)), expected)

    def test_it_keeps_quiet_what_is_silenced(self) -> None:
        matchers = tuple(matchers_from([{"name": "host", "op": "=", "value": "db"}]))
        silence = SilenceSpec(4, matchers, NOON - MINUTE, NOON + MINUTE)

        effects = decide(state_of(silences=[silence]), [told()], NOON)

        self.assertEqual(names(effects), "")
        self.assertEqual([one.alert.silenced_by_id for one in effects if isinstance(one, SaveAlert)], [4])

    def test_it_opens_nothing_for_a_beginning_whose_end_came_before(self) -> None:
        end = told(action=Action.RESOLVE, ends_at=NOON - MINUTE)
        [early] = [one.early for one in decide(state_of(), [end], NOON) if isinstance(one, RememberEarlyResolve)]

        for began, expected in ((NOON - 2 * MINUTE, ""), (NOON, "OpenIncident SaveGroup")):
            with self.subTest(began):
                late = decide(state_of(early_resolves={early.key: early}), [told(starts_at=began)], NOON)

                self.assertEqual(names(late), expected)

    def test_it_counts_what_routes_match_and_drop(self) -> None:
        routes = [replace(EVERYTHING, is_drop=True)]

        effects = decide(state_of(known("b"), routes=routes), [told("a"), told("a"), told("b", Action.RESOLVE)], NOON)

        self.assertEqual([(one.matched, one.dropped) for one in effects if isinstance(one, CountRoute)], [(3, 2)])

    def test_it_leaves_the_state_as_it_was(self) -> None:
        incident = incident_of()
        state = state_of(
            known(incident=incident), group=group_for(incident), early_resolves={"x": EarlyResolve(key="x")}
        )
        before = copy.deepcopy([vars(one) for one in (*state.alerts.values(), *state.groups.values(), incident)])

        decide(state, [told(severity=Severity.CRITICAL), told(action=Action.RESOLVE), told("b")], NOON)

        after = [vars(one) for one in (*state.alerts.values(), *state.groups.values(), incident)]
        for was, now in zip(before, after, strict=True):
            self.assertEqual({**was, "_state": None}, {**now, "_state": None})

    def test_it_names_who_acknowledged(self) -> None:
        message = told(action=Action.ACKNOWLEDGE, user="Kim", note="On it.")

        effects = decide(state_of(known(incident=incident_of())), [message], NOON)

        [found] = [one for one in effects if isinstance(one, AcknowledgeIncident)]
        self.assertEqual((found.user, found.note, found.alert.source), ("Kim", "On it.", SOURCE))


class TimeTests(SimpleTestCase):
    def test_it_opens_what_a_silence_held_back(self) -> None:
        alert = known(silenced_by_id=4)

        effects = decide_released(state_of(alert), NOON)

        self.assertEqual(names(effects), "OpenIncident SaveGroup")
        self.assertEqual([one.alert.silenced_by_id for one in effects if isinstance(one, SaveAlert)], [None])

    def test_it_ends_what_flapping_held_open(self) -> None:
        incident = incident_of()
        table = [(True, set(), "AddEvent ResolveIncident"), (True, {5}, "AddEvent"), (False, set(), "")]
        for is_over, held, expected in table:
            with self.subTest(is_over=is_over, held=held):
                alert = known(incident=incident, is_over=is_over, is_flapping=True)

                self.assertEqual(names(decide_cleared(state_of(alert, held=held), NOON)), expected)
