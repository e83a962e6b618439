"""Comment on incidents, and follow them."""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from incidents.actors import By, person
from incidents.models import EventKind, Incident, IncidentEvent, Origin, Subscription, Visibility
from incidents.permissions import require_comment, require_grant, require_visible, require_work, users_gaining_access
from incidents.services.lifecycle import move_to
from incidents.services.recording import ChangeContext, IncidentChange, lock
from users.models import User


@unit_of_work
def comment(
    incident: Incident,
    message: str,
    *,
    by: By,
    visibility: str = Visibility.PUBLIC,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> IncidentEvent:
    """Add an update. Requires working on or following the incident; internal ones require staff."""
    _require_message(by, message, visibility)
    incident = lock(incident)
    require_comment(by, incident)
    # What was said elsewhere was said when it was, even if we hear of it after what followed.
    change = IncidentChange(incident, replace(ChangeContext.now(by, origin, at), keeps_time=at is not None))
    event = change.add_event(EventKind.COMMENT, body=message, visibility=Visibility(visibility))
    change.save()
    return event


@unit_of_work
def comment_and_move(
    incident: Incident,
    message: str,
    status: str,
    *,
    by: By,
    visibility: str = Visibility.PUBLIC,
    origin: str = Origin.API,
    expected_versions: Collection[int] | None = None,
) -> Incident:
    """Add an update and move to `status` as one change.

    A public update is the note of the move, so that followers are told once; an internal one stays an event of its own,
    since everybody reads the move. Raises as `comment` and `transition`.
    """
    _require_message(by, message, visibility)
    incident = lock(incident, expected_versions=expected_versions)
    require_work(by, incident)
    change = IncidentChange(incident, ChangeContext.now(by, origin))
    is_note = visibility == Visibility.PUBLIC and status != incident.status
    if not is_note:
        change.add_event(EventKind.COMMENT, body=message, visibility=Visibility(visibility))
    move_to(change, status, message if is_note else "", is_noted=not is_note)
    return change.save()


def _require_message(by: By, message: str, visibility: str) -> None:
    speaker = person(by)
    if not message.strip():
        raise DomainError(_("Write a message."), field="message")
    if visibility == Visibility.INTERNAL and speaker is not None and not (speaker.is_responder or speaker.is_admin):
        raise PermissionRefused(_("Only responders and administrators can write internal updates."))


@unit_of_work
def subscribe(incident: Incident, user: User, *, by: By, origin: str = Origin.API) -> bool:
    """Have a person follow, and so see, the incident; False if they do already.

    People subscribe themselves to what they see; others require work on the incident and, if restricted, the right to
    grant.
    """
    if not user.is_active:
        raise DomainError(_("%(user)s has no active account.") % {"user": user.name}, field="user")
    incident = lock(incident)
    if person(by) == user:
        require_visible(user, incident)
    else:
        require_work(by, incident)
        if incident.is_restricted and users_gaining_access([user.pk], incident):
            require_grant(by, incident, user.name, is_said=True)
    _subscription, is_new = Subscription.objects.get_or_create(incident=incident, user=user)
    if is_new:
        change = IncidentChange(incident, ChangeContext.now(by, origin))
        change.add_event(EventKind.SUBSCRIBED, data={"user": {"id": user.pk, "name": user.name}})
        change.save()
    return is_new


@unit_of_work
def unsubscribe(incident: Incident, user: User, *, by: By, origin: str = Origin.API) -> None:
    """Stop following. The reporter always follows."""
    incident = lock(incident)
    if person(by) != user:
        require_work(by, incident)
    if incident.reporter_id == user.pk:
        raise Conflict(_("The reporter always follows the incident."), code="reporter_follows")
    removed, _rows = Subscription.objects.filter(incident=incident, user=user).delete()
    if not removed:
        raise NotFound(
            _("%(user)s does not follow %(incident)s.") % {"user": user.name, "incident": incident.reference}
        )
    change = IncidentChange(incident, ChangeContext.now(by, origin))
    change.add_event(EventKind.UNSUBSCRIBED, data={"user": {"id": user.pk, "name": user.name}})
    change.save()
