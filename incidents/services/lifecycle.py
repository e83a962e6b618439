"""Move an incident through its lifecycle. Nothing else assigns `status`."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.db.transactions import unit_of_work
from core.errors import DomainError, InvalidTransition
from incidents.actors import By
from incidents.models import Incident, Origin, Status
from incidents.permissions import require_work
from incidents.services.clocks import due_times, holds_since_start, mark_breaches_of, next_breach_at, policy_values
from incidents.services.recording import ChangeContext, IncidentChange, lock
from incidents.workflow import Action, action_between, allowed_transitions


class NoteMissing(DomainError):
    """The transition requires a note."""

    code = "note_required"
    title = "Note required"


NOTE_NEEDED = {
    "hold": gettext_lazy("Say why: to hold an incident needs a note."),
    "reopen": gettext_lazy("Say why: to reopen an incident needs a note."),
}


@unit_of_work
def transition(
    incident: Incident,
    status: str,
    *,
    by: By,
    note: str = "",
    origin: str = Origin.API,
    at: dt.datetime | None = None,
    expected_versions: Collection[int] | None = None,
) -> Incident:
    """Move to `status`; no event if it is there.

    Raises InvalidTransition (with `allowed`), NoteMissing, PermissionRefused, StaleVersion, NotFound.
    """
    incident = lock(incident, expected_versions=expected_versions)
    require_work(by, incident)
    change = IncidentChange(incident, ChangeContext.now(by, origin, at))
    move_to(change, status, note)
    return change.save()


def acknowledge(incident: Incident, *, by: By, note: str = "", origin: str = Origin.API) -> Incident:
    return transition(incident, Status.ACKNOWLEDGED, by=by, note=note, origin=origin)


def resolve(incident: Incident, *, by: By, note: str = "", origin: str = Origin.API) -> Incident:
    return transition(incident, Status.RESOLVED, by=by, note=note, origin=origin)


def move_to(change: IncidentChange, status: str, note: str, *, is_noted: bool = False) -> None:
    """Apply a transition: check the table, stamp times, add the event; `is_noted` if a note of its own was added."""
    incident = change.incident
    if incident.status == status:
        return
    action = action_between(incident.status, status)
    if action is None:
        raise InvalidTransition(
            _("%(incident)s is %(status)s; it cannot become %(wanted)s from there.")
            % {
                "incident": incident.reference,
                "status": Status(incident.status).label.lower(),
                "wanted": Status(status).label.lower(),
            },
            allowed=allowed_transitions(incident.status),
        )
    if action.needs_note and not is_noted and not note.strip():
        raise NoteMissing(str(NOTE_NEEDED[action.name]), field="note")
    STAMPS[action.name](change, action, note)


def _write(
    change: IncidentChange, action: Action, note: str, values: dict[str, Any], untracked: dict[str, Any]
) -> None:
    change.apply(action.event_kind, {"status": action.to_status, **values}, body=note, untracked=untracked)
    change.incident.next_breach_at = next_breach_at(change.incident)
    change.columns.add("next_breach_at")


def _acknowledgement(change: IncidentChange) -> tuple[dict[str, Any], dict[str, Any]]:
    incident, at = change.incident, change.context.at
    if incident.status == Status.OPEN:
        mark_breaches_of(change, acknowledged_at=at)
    if incident.acknowledged_at is not None:
        return {}, {}
    return {"acknowledged_at": at}, {"ack_seconds": _seconds(incident.created_at, at)}


def _stamp_acknowledge(change: IncidentChange, action: Action, note: str) -> None:
    _write(change, action, note, *_acknowledgement(change))


def _stamp_hold(change: IncidentChange, action: Action, note: str) -> None:
    mark_breaches_of(change, resolved_at=change.context.at, resolve_due_at=change.incident.resolve_due_at)
    _write(change, action, note, {"paused_at": change.context.at}, {})


def _end_of_hold(change: IncidentChange) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tracked and untracked columns when a hold ends, which moves the due time."""
    incident, at = change.incident, change.context.at
    if incident.paused_at is None:
        return {}, {}
    _ack_due_at, resolve_due_at = due_times(
        incident.sla, incident.clock_started_at, holds_since_start(incident, until=at)
    )
    paused = incident.paused_seconds + _seconds(incident.paused_at, at)
    return {"paused_at": None, "resolve_due_at": resolve_due_at}, {"paused_seconds": paused}


def _stamp_resume(change: IncidentChange, action: Action, note: str) -> None:
    _write(change, action, note, *_end_of_hold(change))


def _stamp_resolve(change: IncidentChange, action: Action, note: str) -> None:
    incident, at = change.incident, change.context.at
    tracked, untracked = _acknowledgement(change)
    resumed, paused = _end_of_hold(change)
    mark_breaches_of(change, resolved_at=at, resolve_due_at=resumed.get("resolve_due_at", incident.resolve_due_at))
    tracked |= {**resumed, "resolved_at": at}
    untracked |= {**paused, "resolve_seconds": _seconds(incident.created_at, at)}
    _write(change, action, note, tracked, untracked)


def _stamp_close(change: IncidentChange, action: Action, note: str) -> None:
    _write(change, action, note, {"closed_at": change.context.at}, {})


def _stamp_reopen(change: IncidentChange, action: Action, note: str) -> None:
    incident, at = change.incident, change.context.at
    values = policy_values(incident.severity, incident.category)
    ack_due_at, resolve_due_at = due_times(values, at, [])
    tracked = {
        "resolved_at": None,
        "closed_at": None,
        "reopen_count": incident.reopen_count + 1,
        "ack_due_at": ack_due_at,
        "resolve_due_at": resolve_due_at,
        "ack_breached": False,
        "resolve_breached": False,
    }
    _write(change, action, note, tracked, {"resolve_seconds": None, "sla": values, "clock_started_at": at})


def _seconds(start: dt.datetime, end: dt.datetime) -> int:
    return max(int((end - start).total_seconds()), 0)


STAMPS = {
    "acknowledge": _stamp_acknowledge,
    "start": _stamp_acknowledge,
    "hold": _stamp_hold,
    "resume": _stamp_resume,
    "resolve": _stamp_resolve,
    "close": _stamp_close,
    "reopen": _stamp_reopen,
}
