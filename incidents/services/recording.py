"""Write a change of an incident and its events together, sealed, in one transaction."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.actor import acting
from core.db import rows
from core.db.prepared import Parameter
from core.errors import NotFound, StaleVersion
from core.server.jobs import wake
from incidents import audit, digest, search
from incidents.actors import Actor, By, person
from incidents.models import Incident, IncidentEvent, Origin, Visibility
from incidents.permissions import absent, can_see
from incidents.snapshot import Changes, encode_field
from users.models import User

# bookkeeping of every change
HISTORY_COLUMNS = ("event_count", "head_digest", "last_occurred_at", "last_received_at", "row_digest")
BOOKKEEPING = ("updated_at", "version", "is_tallied", *HISTORY_COLUMNS)
# written by jobs and the database; derived from the rest
UNSEALED = frozenset({"id", "row_digest", "is_open", "next_breach_at", "tallied_as", "is_tallied"})
SEALED = tuple(field.attname for field in Incident._meta.concrete_fields if field.attname not in UNSEALED)
Participant = Callable[[Sequence["IncidentChange"]], object]
participants: list[Participant] = []
SEARCHED_FIELDS = frozenset({"title", "description"})


def register_participant(participant: Participant) -> None:
    """Call this with changes of incidents once all are written, in their transaction; raising undoes them.

    Participants must not change other incidents; they are not called for imported history.
    """
    participants.append(participant)


def call_participants(changes: Sequence["IncidentChange"]) -> None:
    for participant in participants:
        participant(changes)
    wake("assign_feed")


@dataclass(frozen=True)
class ChangeContext:
    """Who acts, through what, when it happened and was received."""

    actor: Actor
    origin: Origin
    at: dt.datetime
    received_at: dt.datetime
    keeps_time: bool = False  # however late it is

    @classmethod
    def now(cls, by: By, origin: str, at: dt.datetime | None = None) -> "ChangeContext":
        """Return the context of a change now, or of one at `at`."""
        received_at = timezone.now()
        return cls(Actor.of(by), Origin(origin), at or received_at, received_at)

    @property
    def by(self) -> User | None:
        return self.actor.user

    def not_before(self, incident: Incident) -> "ChangeContext":
        """Return it with times not before the timeline's last: clocks are set back."""
        occurred, received = _last_times(incident)
        at = self.at if self.keeps_time else max(self.at, occurred)
        return replace(self, at=at, received_at=max(self.received_at, received))


def _last_times(incident: Incident) -> tuple[dt.datetime, dt.datetime]:
    """Return the last event's times; estimated for older rows."""
    if incident.last_occurred_at is not None and incident.last_received_at is not None:
        return incident.last_occurred_at, incident.last_received_at
    stamps = (incident.acknowledged_at, incident.resolved_at, incident.closed_at, incident.paused_at)
    known = [incident.created_at, incident.clock_started_at, *(stamp for stamp in stamps if stamp is not None)]
    return max(known), incident.updated_at


def lock(incident: Incident, *, expected_versions: Collection[int] | None = None) -> Incident:
    """Return the incident, locked. Raises NotFound when deleted, StaleVersion."""
    locked = _locked(incident.pk)
    if locked is None or locked.deleted_at is not None:
        raise NotFound(_("%(incident)s no longer exists.") % {"incident": incident.reference})
    _require_version(locked, expected_versions)
    return locked


def lock_for(number: int, by: By, *, expected_versions: Collection[int] | None = None) -> Incident:
    """Lock an incident by number; NotFound also when `by` may not see it."""
    locked, viewer = _locked(number), person(by)
    if locked is None or (viewer is not None and not can_see(viewer, locked)):
        raise absent(f"INC-{number}")
    _require_version(locked, expected_versions)
    return locked


def _locked(number: int) -> Incident | None:
    found = rows.select(Incident, "to lock", _to_lock, number=number)
    return found[0] if found else None


def _to_lock() -> QuerySet[Incident]:
    return Incident.objects.select_for_update().order_by().filter(pk=Parameter("number"))


def _require_version(incident: Incident, expected: Collection[int] | None) -> None:
    if expected is not None and incident.version not in expected:
        raise StaleVersion(
            _("%(incident)s was changed by somebody else; reload it and repeat your change.")
            % {"incident": incident.reference},
            version=incident.version,
        )


@dataclass
class IncidentChange:
    """A change of a locked or new incident: columns and events."""

    incident: Incident
    context: ChangeContext
    columns: set[str] = field(default_factory=set)
    events: list[IncidentEvent] = field(default_factory=list)
    is_searchable_changed: bool = False

    def __post_init__(self) -> None:
        if self.incident.pk is not None:
            self.context = self.context.not_before(self.incident)
        self.before = dict(vars(self.incident))

    def apply(
        self,
        kind: str,
        tracked: dict[str, Any],
        *,
        body: str = "",
        visibility: Visibility = Visibility.PUBLIC,
        untracked: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Set columns and add the event, with the `tracked` ones that differ."""
        changes: Changes = {}
        for name, value in tracked.items():
            before = getattr(self.incident, name)
            if before != value:
                changes[name] = [encode_field(name, before), encode_field(name, value)]
                self._set(name, value)
        for name, value in (untracked or {}).items():
            self._set(name, value)
        self.add_event(kind, body=body, visibility=visibility, data={**(data or {}), "changes": changes})

    def add_event(
        self,
        kind: str,
        *,
        body: str = "",
        visibility: Visibility = Visibility.PUBLIC,
        data: dict[str, Any] | None = None,
        by: Actor | None = None,
    ) -> IncidentEvent:
        """Add an event by the context's actor, or `by`."""
        incident, context = self.incident, self.context
        actor = by or context.actor
        incident.event_count += 1
        event = IncidentEvent(
            incident=incident,
            seq=incident.event_count,
            kind=kind,
            actor=actor.user,
            actor_name=actor.name,
            machine_kind=actor.machine or "",
            machine_name=actor.machine_name,
            origin=context.origin,
            visibility=visibility,
            occurred_at=context.at,
            received_at=context.received_at,
            body=body,
            data=data or {},
            schema=digest.SCHEMA,
        )
        incident.last_occurred_at = max(context.at, incident.last_occurred_at or context.at)
        incident.last_received_at = context.received_at
        self.events.append(event)
        return event

    def seal(self) -> None:
        """Chain the events and seal the row."""
        incident = self.incident
        for event in self.events:
            event.incident = incident
            sealed = sealed_facts(event, str(incident.uid), incident.pk)
            event.digest = digest.event_digest("" if event.seq == 1 else incident.head_digest, sealed)
            incident.head_digest = digest.head_digest(sealed, event.digest)
        incident.row_digest = row_digest(incident, incident.pk)

    def save(self) -> Incident:
        """Write columns, events and search document; call the participants."""
        if self.events or self.columns:
            self._write()
            call_participants([self])
        return self.incident

    def _write(self) -> None:
        incident = self.incident
        if self.columns:
            incident.version += 1
            incident.updated_at = self.context.received_at
            incident.is_tallied = False
        self.seal()
        rows.update(incident, self.columns.union(BOOKKEEPING))
        with acting(self.context.by):
            audit.record_change(incident, self.before, self.columns)
        rows.insert(*self.events)
        if self.is_searchable_changed:
            search.reindex_incidents(incident)
        elif said := [event for event in self.events if event.body]:
            public = [event.body for event in said if event.visibility != Visibility.INTERNAL]
            internal = [event.body for event in said if event.visibility == Visibility.INTERNAL]
            search.add_text(incident, public="\n".join(public), internal="\n".join(internal))

    def _set(self, name: str, value: Any) -> None:
        setattr(self.incident, name, value)
        self.columns.add(name)
        if name in SEARCHED_FIELDS:
            self.is_searchable_changed = True


def row_digest(incident: Incident, number: int | None) -> str:
    return digest.row_digest({name: getattr(incident, name) for name in SEALED}, number)


def sealed_facts(event: IncidentEvent, incident_uid: str, incident_number: int) -> digest.SealedEvent:
    """Return what an event's digest covers."""
    return digest.SealedEvent(
        incident_uid=incident_uid,
        seq=event.seq,
        kind=str(event.kind),
        actor_id=event.actor_id,
        actor_name=event.actor_name,
        origin=str(event.origin),
        visibility=str(event.visibility),
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        body_digest=digest.content_digest(event.body),
        data_digest=digest.content_digest(event.data),
        schema=event.schema,
        incident_number=incident_number,
        machine_kind=event.machine_kind,
        machine_name=event.machine_name,
    )


def lock_many(ids: Collection[int]) -> dict[int, Incident]:
    """Return incidents by id, deleted ones too, locked in order."""
    return {incident.pk: incident for incident in rows.select_in(Incident, "id", ids, lock=True)}


def save_all(changes: Iterable[IncidentChange]) -> None:
    """Write several changes in few statements; call the participants once."""
    written = [change for change in changes if change.columns or change.events]
    light = []
    for change in written:
        if change.columns or any(event.body for event in change.events):
            change._write()
        else:
            change.seal()
            light.append(change)
    rows.update_many([change.incident for change in light], HISTORY_COLUMNS)
    rows.insert(*(event for change in light for event in change.events))
    if written:
        call_participants(written)
