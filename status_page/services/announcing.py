"""What publishing and maintenance have in common: locks, updates, and what the timeline says."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core.actor import acting
from core.errors import DomainError, InvalidTransition, NotFound, PermissionRefused, StaleVersion
from core.server.jobs import wake
from incidents.actors import By, person
from incidents.models import Incident, Visibility
from incidents.services.recording import ChangeContext, IncidentChange, lock_many
from status_page.models import PublicIncident, PublicUpdate
from status_page.permissions import require_publisher
from status_page.services.page import changed
from status_page.vocabulary import ENDED, STATES, Kind, State, StatusEventKind


@dataclass(frozen=True)
class Held:
    """A public incident and the incident it is about, both locked."""

    row: PublicIncident
    incident: Incident | None


def lock_incident(incident: Incident | None, by: By) -> Incident | None:
    """Return the incident, locked, for whoever may publish it."""
    locked = lock_many([incident.pk])[incident.pk] if incident is not None else None
    require_publisher(by, locked)
    return locked


def hold(public_incident: PublicIncident, by: By, *, expected_version: int | None = None) -> Held:
    """Lock for a publisher. Raises NotFound, StaleVersion, PermissionRefused."""
    number = PublicIncident.objects.filter(pk=public_incident.pk).values_list("incident_id", flat=True).first()
    incident = lock_many([number]).get(number) if number is not None else None
    try:
        require_publisher(by, incident)
    except NotFound as error:  # which would name the incident
        raise PermissionRefused(_("Only people who work on its incident can change this announcement.")) from error
    row = PublicIncident.objects.select_for_update().filter(pk=public_incident.pk).first()
    if row is None:
        raise NotFound(_("This announcement no longer exists."))
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(
            _("The announcement was changed by somebody else; reload it and repeat your change."), version=row.version
        )
    return Held(row, incident)


def next_state(row: PublicIncident, state: str | None) -> State:
    """Return the state after an update. Raises DomainError, InvalidTransition: maintenance does not go back."""
    states = STATES[Kind(row.kind)]
    if state is None:
        return State(row.state)
    if state not in states:
        raise DomainError(_("The state is one of %(states)s.") % {"states": ", ".join(states)}, field="state")
    allowed = states[states.index(State(row.state)) :] if row.kind == Kind.MAINTENANCE else states
    if state not in allowed:
        raise InvalidTransition(
            _("Maintenance that is %(state)s cannot become %(wanted)s; plan another one.")
            % {"state": State(row.state).label, "wanted": State(state).label},
            field="state",
            allowed=list(allowed),
        )
    return State(state)


def set_state(row: PublicIncident, state: State, at: dt.datetime) -> None:
    """Assign the state, and what follows from it."""
    row.state = state
    if state not in ENDED:
        row.ended_at = None
    elif row.ended_at is None:
        row.ended_at = at
    if row.kind == Kind.MAINTENANCE:
        row.next_step_at = {State.SCHEDULED: row.starts_at, State.IN_PROGRESS: row.ends_at}.get(state)


def save(row: PublicIncident, names: Collection[str], by: By) -> None:
    """Write fields, and count the change."""
    row.version += 1
    with acting(person(by)):
        row.save(update_fields=[*names, "version"])
    changed()


def write_update(
    row: PublicIncident,
    message: str,
    translations: Mapping[str, Any],
    *,
    by: By,
    at: dt.datetime,
    tell_at: dt.datetime | None,
) -> PublicUpdate:
    """Add a message of the row's present state; subscribers are told from `tell_at` on, if it is set."""
    with acting(person(by)):
        update = PublicUpdate.objects.create(
            public_incident=row,
            state=row.state,
            impact=row.impact,
            message=message,
            translations=dict(translations),
            at=at,
            by=person(by),
            tell_at=tell_at,
        )
    if tell_at is not None:
        wake("plan_telling")
    return update


def record(
    incident: Incident | None,
    kind: StatusEventKind,
    row: PublicIncident,
    *,
    by: By,
    message: str = "",
    origin: str,
    at: dt.datetime | None = None,
    **facts: Any,
) -> None:
    """Say on the incident's timeline what the public is told; a deleted incident gets no entry."""
    if incident is None or incident.deleted_at is not None:
        return
    change = IncidentChange(incident, ChangeContext.now(by, origin, at))
    about = {"public_incident": row.pk, "state": row.state, "impact": row.impact}
    change.add_event(kind, body=message, visibility=Visibility.INTERNAL, data={**about, **facts})
    change.save()
