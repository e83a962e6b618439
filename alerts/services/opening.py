"""From firing alerts to incidents: join the group's open one, reopen the one that just ended, or open another."""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db.models import Q

from alerts.models import Alert, AlertGroup
from alerts.routing import RouteSpec, group_key, group_labels
from alerts.transitions import Transition
from alerts.updates import Action, AlertUpdate
from core.db import rows
from core.severity import Priority, Severity
from core.text.names import tidied
from incidents.models import Category, EventKind, Incident, Origin, Status
from incidents.services.batches import Opening, lock_many, open_many, save_all
from incidents.services.editing import set_severity
from incidents.services.lifecycle import move_to
from incidents.services.recording import ChangeContext, IncidentChange
from intake.models import Source
from responders.models import Service, Team

MINUTE = dt.timedelta(minutes=1)
GROUP_COLUMNS = ("open_key", "incident", "pending", "opened_at")


@dataclass
class FiringAlert:
    """An alert that began to fire, or fires and has no incident yet, with the route it takes (None: its source's)."""

    alert: Alert
    rule: RouteSpec | None
    outcome: Transition

    @property
    def severity(self) -> Severity:
        """How bad it makes its incident: as the route says, else as it is itself."""
        return Severity(self.rule.severity if self.rule and self.rule.severity else self.alert.severity)


@dataclass(frozen=True)
class RouteTargets:
    """Where a route leads."""

    team: Team | None = None
    service: Service | None = None
    category: Category | None = None


@dataclass
class GroupState:
    """Where the alerts of one group key go in this batch."""

    key: str
    labels: dict[str, str]
    group: AlertGroup | None = None
    incident: Incident | None = None
    opening: Opening | None = None
    started: dict[str, FiringAlert] = field(default_factory=dict)  # the one that opens first
    is_storm: bool = False


class IncidentAssigner:
    """The incidents that a batch of alerts touches, locked while it lasts."""

    def __init__(self, now: dt.datetime, rules: Sequence[RouteSpec] = ()) -> None:
        self.act = ChangeContext.now(None, Origin.ALERT, now)
        self.now = now
        self.rules = rules
        self.slots: dict[str, GroupState] = {}
        self.locked: dict[int, Incident] = {}
        self.entries: dict[int, IncidentChange] = {}
        self.opened_lately: dict[int | None, int] = {}
        self.left: list[AlertGroup] = []
        self.targets: dict[int, RouteTargets] = {}
        self.at_hand: dict[str, Alert] = {}

    def place(
        self,
        started: Sequence[FiringAlert],
        ended: Iterable[Alert],
        spoken_of: Iterable[Alert],
        at_hand: Mapping[str, Alert] | None = None,
    ) -> None:
        """Give each started alert its incident (`alert.incident`), opening what has to be opened. `at_hand` are, by
        their keys, all alerts that the caller writes afterwards; None: those of the other three."""
        keys = {id(one): self._key(one) for one in started}
        concerned = {alert.key: alert for alert in [*(one.alert for one in started), *ended, *spoken_of]}
        self.at_hand = {**concerned, **(at_hand or {})}
        self._load([key for key, _ in keys.values()], concerned.values())
        for one in started:
            key, labels = keys[id(one)]
            self._place(one, self._slot(key, labels))
        self._open()

    def end(self, ended: Iterable[Alert]) -> None:
        """Note the ends on the timelines, and resolve incidents of which no alert fires any more; to be called when
        the alerts are written. What flaps holds its incident open."""
        over = [alert for alert in ended if alert.incident_id in self.locked and not alert.is_flapping]
        firing = self._with_firing({alert.incident_id for alert in over if alert.incident_id})
        for alert in over:
            incident = self.locked[alert.incident_id or 0]
            if not incident.is_still_open or incident.deleted_at is not None:
                continue
            self._entry(incident).note(EventKind.ALERT_RESOLVED, data={"alert": told(alert)})
            if incident.pk not in firing and alert.source.auto_resolve:
                move_to(self._entry(incident), Status.RESOLVED, "")

    def speak(self, voices: Iterable[tuple[Alert, AlertUpdate]]) -> None:
        """What somebody did over at the sender: acknowledge, or leave a note, be it with the end."""
        for alert, draft in voices:
            incident = self.locked.get(alert.incident_id or 0)
            if incident is None or incident.deleted_at is not None:
                continue
            user = tidied(draft.user)
            said = f"{user}: {draft.note}" if user and draft.note else draft.note
            if draft.action == Action.ACKNOWLEDGE and incident.status == Status.OPEN:
                who = f" by {user}" if user else ""
                move_to(
                    self._entry(incident), Status.ACKNOWLEDGED, said or f"Acknowledged{who} in {alert.source.name}."
                )
            elif said:
                self._entry(incident).note(EventKind.COMMENT, body=said, data={"alert": told(alert)})

    def save(self) -> None:
        """Write the timelines."""
        save_all(self.entries.values())

    # --- Loading ------------------------------------------------------------------------------------------------------

    def _key(self, one: FiringAlert) -> tuple[str, dict[str, str]]:
        alert, rule = one.alert, one.rule
        names = rule.group_by if rule is not None and rule.group_by is not None else alert.source.group_by
        labels = group_labels(names, alert.labels)
        return group_key(source_id=alert.source_id, rule=rule, labels=labels, alert_key=alert.key), labels

    def _load(self, keys: Collection[str], alerts: Iterable[Alert]) -> None:
        wanted = {*keys, *(storm_key(rule.id) for rule in self.rules), storm_key(None)} if keys else set()
        for group in rows.select_in(AlertGroup, "open_key", wanted, lock=True):
            self.slots[group.key] = GroupState(group.key, group.labels, group, is_storm=group.is_storm)
        ids = {slot.group.incident_id for slot in self.slots.values() if slot.group and slot.group.incident_id}
        ids.update(alert.incident_id for alert in alerts if alert.incident_id)
        self.locked = lock_many({pk for pk in ids if pk})
        for slot in self.slots.values():
            if slot.group is not None and slot.group.incident_id:
                slot.incident = self.locked.get(slot.group.incident_id)

    def _slot(self, key: str, labels: dict[str, str]) -> GroupState:
        return self.slots.setdefault(key, GroupState(key, labels))

    # --- Placing ------------------------------------------------------------------------------------------------------

    def _place(self, one: FiringAlert, slot: GroupState) -> None:
        own = self.locked.get(one.alert.incident_id or 0)
        if own is not None and not self._is_succeeded(own, one, slot) and self._join(own, one):
            return
        if slot.incident is not None:
            if self._join(slot.incident, one):
                return
            self._leave(slot)
        if slot.opening is not None or not self._is_enough(slot, one):
            slot.started[one.alert.key] = one
        else:
            self._plan(slot, one)

    def _is_succeeded(self, own: Incident, one: FiringAlert, slot: GroupState) -> bool:
        """Whether the group has an open incident that came after the alert's own: a group has one open at a time. What
        somebody moved out of its group stays where it was put."""
        if one.outcome == Transition.REPEATED or own.is_still_open:
            return False
        if slot.incident is None or not slot.incident.is_still_open:
            return False
        return AlertGroup.objects.filter(key=slot.key, incident=own).exists()

    def _join(self, incident: Incident, one: FiringAlert) -> bool:
        """Whether the incident takes the alert in: it is open, or ended so lately that it opens again. A repeat of a
        firing that was resolved or deleted by hand changes nothing, and belongs there all the same."""
        alert = one.alert
        is_own = alert.incident_id == incident.pk
        if is_own and (one.outcome == Transition.REPEATED or (alert.is_flapping and incident.is_still_open)):
            if incident.is_still_open and incident.deleted_at is None:
                self._raise(incident, one)
            return True
        if incident.deleted_at is not None:
            return False
        if not incident.is_still_open:
            if not self._is_recent(incident, alert.source):
                return False
            move_to(self._entry(incident), Status.OPEN, f"{alert.title} fires again.")
        alert.incident = incident
        self._entry(incident).note(EventKind.ALERT_ADDED, data={"alert": told(alert)})
        self._raise(incident, one)
        return True

    def _is_recent(self, incident: Incident, source: Source) -> bool:
        ended = incident.closed_at or incident.resolved_at
        return ended is not None and self.now - ended <= dt.timedelta(minutes=source.reopen_minutes)

    def _raise(self, incident: Incident, one: FiringAlert) -> None:
        """An incident is as bad as its worst alert; it never gets better by itself."""
        if one.severity > incident.severity:
            set_severity(self._entry(incident), one.severity)

    def _leave(self, slot: GroupState) -> None:
        """The key's group is of the past: its incident ended too long ago, or was deleted."""
        if slot.group is not None:
            slot.group.open_key = None
            self.left.append(slot.group)
        slot.group = slot.incident = None

    def _is_enough(self, slot: GroupState, one: FiringAlert) -> bool:
        """Whether as much has fired as the route asks for before it opens an incident; else it is written down."""
        rule, alert = one.rule, one.alert
        if rule is None or rule.open_after_count <= 1:
            return True
        if slot.group is None:
            slot.group = AlertGroup(
                key=slot.key,
                open_key=slot.key,
                source=alert.source,
                route_id=rule.id,
                labels=slot.labels,
                created_at=self.now,
            )
        since = (self.now - rule.open_after_minutes * MINUTE).timestamp()
        recent = [[key, at] for key, at in slot.group.pending if at > since]
        slot.group.pending = [*recent, [alert.key, self.now.timestamp()]]
        return len(slot.group.pending) >= rule.open_after_count

    # --- Opening ------------------------------------------------------------------------------------------------------

    def _plan(self, slot: GroupState, one: FiringAlert) -> None:
        route_id = one.rule.id if one.rule else None
        if self._is_storm(route_id):
            storm = self._slot(storm_key(route_id), {})
            if not slot.is_storm:
                storm.is_storm = True
                if storm.incident is not None and self._join(storm.incident, one):
                    return
                self._leave_ended(storm)
                storm.opening = storm.opening or storm_of(one, self._opening(one, {}))
                storm.started[one.alert.key] = one
                self._adopt(storm, one)
                return
        self.opened_lately[route_id] += 1
        slot.opening = self._opening(one, slot.labels)
        slot.started = {one.alert.key: one, **slot.started}
        self._adopt(slot, one)

    def _opening(self, one: FiringAlert, labels: dict[str, str]) -> Opening:
        """The incident that an alert opens: its words, and what the route or else the source says."""
        alert, rule = one.alert, one.rule
        number = rule.id if rule else 0
        if number not in self.targets:
            self.targets[number] = targets_of(rule)
        targets = self.targets[number]
        return Opening(
            title=alert.title,
            description=alert.description,
            severity=one.severity,
            priority=Priority(rule.priority) if rule and rule.priority else None,
            category=targets.category,
            team=targets.team or alert.source.team,
            services=[targets.service] if targets.service else [],
            occurred_at=alert.starts_at,
            origin_system=alert.source.kind,
            data={"alert": told(alert), "grouped_by": labels},
        )

    def _leave_ended(self, slot: GroupState) -> None:
        if slot.incident is not None:
            self._leave(slot)

    def _adopt(self, slot: GroupState, one: FiringAlert) -> None:
        if slot.group is None:
            slot.group = AlertGroup(
                key=slot.key,
                open_key=slot.key,
                source=one.alert.source,
                route_id=one.rule.id if one.rule else None,
                labels=slot.labels,
                is_storm=slot.is_storm,
                created_at=self.now,
            )
        slot.group.opened_at = self.now

    def _is_storm(self, route_id: int | None) -> bool:
        """Whether the route has opened as many incidents within the last minute as it may."""
        limit = settings.STORM_INCIDENTS_PER_MINUTE
        if route_id not in self.opened_lately:
            route = Q(route_id=route_id) if route_id else Q(route__isnull=True)
            opened = AlertGroup.objects.filter(route, opened_at__gt=self.now - MINUTE) if limit else None
            self.opened_lately[route_id] = opened.count() if opened is not None else 0
        return limit > 0 and self.opened_lately[route_id] >= limit

    def _open(self) -> None:
        """Open what was planned; write the groups."""
        opening = [slot for slot in self.slots.values() if slot.opening is not None]
        if self.left:
            rows.update_many([group for group in self.left if group.pk], ["open_key"])
        planned = [slot.opening for slot in opening if slot.opening is not None]
        for slot, incident in zip(
            opening, open_many(planned, origin=Origin.ALERT, at=self.now) if planned else [], strict=True
        ):
            self._opened(slot, incident)
        groups = [slot.group for slot in self.slots.values() if slot.group is not None]
        fresh = [group for group in groups if group._state.adding]
        rows.insert(*sorted(fresh, key=lambda group: group.key))  # two who insert the same meet at the first
        changed = [slot.group for slot in self.slots.values() if slot.group is not None and self._is_changed(slot)]
        rows.update_many(changed, GROUP_COLUMNS)

    def _opened(self, slot: GroupState, incident: Incident) -> None:
        self.locked[incident.pk] = slot.incident = incident
        for number, one in enumerate(slot.started.values()):
            one.alert.incident = incident
            if number:
                self._entry(incident).note(EventKind.ALERT_ADDED, data={"alert": told(one.alert)})
                self._raise(incident, one)
        if slot.group is not None:
            slot.group.incident = incident
            waited = {key for key, _ in slot.group.pending} - slot.started.keys()
            slot.group.pending = []
            self._fetch(incident, waited, slot.started)

    def _fetch(self, incident: Incident, keys: Collection[str], started: Mapping[str, FiringAlert]) -> None:
        """Have those that fired before the route asked for an incident join it now, but for what a silence keeps quiet
        by now: that joins when the silence ends."""
        rule = next(iter(started.values())).rule
        alone = Alert.objects.filter(key__in=keys, incident__isnull=True).select_related("source").order_by("key")
        for stored in alone if keys else ():
            alert = self.at_hand.get(stored.key, stored)
            if alert.silenced_by_id or alert.incident_id:
                continue
            alert.incident = incident
            Alert.objects.filter(pk=alert.pk).update(incident=incident)
            self._entry(incident).note(EventKind.ALERT_ADDED, data={"alert": told(alert)})
            self._raise(incident, FiringAlert(alert, rule, Transition.REPEATED))

    def _is_changed(self, slot: GroupState) -> bool:
        group = slot.group
        return group is not None and group.pk is not None and (slot.opening is not None or bool(group.pending))

    # --- Timelines ----------------------------------------------------------------------------------------------------

    def _entry(self, incident: Incident) -> IncidentChange:
        if incident.pk not in self.entries:
            self.entries[incident.pk] = IncidentChange(incident, self.act)
        return self.entries[incident.pk]

    def _with_firing(self, incident_ids: set[int]) -> set[int]:
        """Those of the incidents that still hold an alert that fires, or flaps."""
        holding = Alert.objects.filter(incident__in=incident_ids).filter(Q(status="firing") | Q(is_flapping=True))
        return {pk for pk in holding.values_list("incident_id", flat=True).distinct() if pk}


def told(alert: Alert) -> dict[str, Any]:
    """An alert as an incident's timeline names it."""
    return {
        "title": alert.title,
        "severity": Severity(alert.severity).word,
        "source": alert.source.name,
        "fingerprint": alert.fingerprint[:100],
    }


def storm_key(route_id: int | None) -> str:
    """The group key of a route's storms."""
    return hashlib.sha256(f"storm {route_id or 0}".encode()).hexdigest()


def storm_of(one: FiringAlert, opening: Opening) -> Opening:
    """The one incident that takes in what a storm would open."""
    way = f"took the route {one.rule.name}" if one.rule else "took no route"
    return replace(
        opening,
        title=f"Alert storm: more than {settings.STORM_INCIDENTS_PER_MINUTE} incidents a minute",
        description=f"Alerts that {way} and would each have opened an incident of their own joined this one.",
    )


def targets_of(rule: RouteSpec | None) -> RouteTargets:
    """The team, service and category that a route names; its service's team where it names no other."""
    if rule is None:
        return RouteTargets()
    service = Service.objects.select_related("team").filter(pk=rule.service_id).first() if rule.service_id else None
    team = Team.objects.filter(pk=rule.team_id).first() if rule.team_id else service.team if service else None
    categories = Category.objects.select_related("default_team")
    return RouteTargets(team, service, categories.filter(pk=rule.category_id).first() if rule.category_id else None)
