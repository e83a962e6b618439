"""What people say about an incident, who follows it, and taking back what must not be read."""

import datetime as dt
from typing import Any

from django.utils import timezone

from incident_response.exceptions import Conflict, DomainError, NotFound, PermissionRefused
from incidents import digest
from incidents.models import EventKind, Incident, IncidentEvent, Origin, Subscription, Visibility
from incidents.permissions import require_admin, require_work
from incidents.services.recording import Act, Entry, lock
from users.models import User
from users.transactions import unit_of_work

REDACTED = "[removed]"


@unit_of_work
def comment(
    incident: Incident,
    message: str,
    *,
    by: User | None,
    visibility: str = Visibility.PUBLIC,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> IncidentEvent:
    """Add an update. Whoever sees the incident may write a public one, responders and administrators internal ones."""
    if not message.strip():
        raise DomainError("Write a message.", field="message")
    if visibility == Visibility.INTERNAL and by is not None and not (by.is_responder or by.is_admin):
        raise PermissionRefused("Internal updates are for responders and administrators.")
    entry = Entry(lock(incident), Act.now(by, origin, at))
    event = entry.note(EventKind.COMMENT, body=message, visibility=Visibility(visibility))
    entry.save()
    return event


@unit_of_work
def subscribe(incident: Incident, user: User, *, by: User | None, origin: str = Origin.API) -> bool:
    """Let a person follow the incident, and so see it; False when they do already.

    People subscribe themselves to what they see; only those who work on an incident subscribe others.
    """
    if by is not None and by != user:
        require_work(by, incident)
    if not user.is_active:
        raise DomainError(f"{user.name} has no active account.", field="user")
    incident = lock(incident)
    _, is_new = Subscription.objects.get_or_create(incident=incident, user=user)
    if is_new:
        entry = Entry(incident, Act.now(by, origin))
        entry.note(EventKind.SUBSCRIBED, data={"user": {"id": user.pk, "name": user.name}})
        entry.save()
    return is_new


@unit_of_work
def unsubscribe(incident: Incident, user: User, *, by: User | None, origin: str = Origin.API) -> None:
    """Stop following. The reporter always follows: that is how they see what became of their report."""
    if by is not None and by != user:
        require_work(by, incident)
    if incident.reporter_id == user.pk:
        raise Conflict("The reporter always follows the incident.", code="reporter_follows")
    incident = lock(incident)
    removed, _ = Subscription.objects.filter(incident=incident, user=user).delete()
    if not removed:
        raise NotFound(f"{user.name} does not follow {incident.reference}.")
    entry = Entry(incident, Act.now(by, origin))
    entry.note(EventKind.UNSUBSCRIBED, data={"user": {"id": user.pk, "name": user.name}})
    entry.save()


@unit_of_work
def redact(event: IncidentEvent, *, by: User | None, reason: str = "", origin: str = Origin.API) -> IncidentEvent:
    """Take a leaked text out of an event, keeping the fact, the chain of digests, and who took it out.

    The text goes from the event's body and from the text fields among its changes, from the search document, and from
    the incident itself where its present title or description is the text the event set.
    """
    require_admin(by)
    incident = lock(event.incident)
    event = IncidentEvent.objects.select_for_update().get(pk=event.pk)
    if event.kind == EventKind.REDACTED:
        raise Conflict("This entry records a removal itself; there is nothing to remove.")
    entry = Entry(incident, Act.now(by, origin))
    taken_out = _digests(event)
    leaked = _texts_set_by(event)
    event.body = REDACTED if event.body else ""
    event.data = _without_texts(event.data)
    event.redacted_at = event.redacted_at or timezone.now()
    event.save(update_fields=["body", "data", "redacted_at"])
    entry.note(
        EventKind.REDACTED,
        visibility=Visibility(event.visibility),
        data={"seq": event.seq, "taken_out": taken_out, "left": _digests(event), "reason": reason},
    )
    for name, text in leaked.items():
        if getattr(incident, name) == text:
            setattr(incident, name, REDACTED)
            entry.columns.add(name)
    entry.is_searchable_changed = True
    entry.save()
    return event


def _digests(event: IncidentEvent) -> dict[str, str]:
    return {"body": digest.text_digest(event.body), "data": digest.data_digest(event.data)}


TEXT_FIELDS = ("title", "description", "location")


def _texts_set_by(event: IncidentEvent) -> dict[str, str]:
    changes = event.data.get("changes", {})
    return {name: changes[name][1] for name in TEXT_FIELDS if name in changes and changes[name][1]}


def _without_texts(data: dict[str, Any]) -> dict[str, Any]:
    changes = {
        name: [REDACTED if text else text for text in pair] if name in TEXT_FIELDS else pair
        for name, pair in data.get("changes", {}).items()
    }
    cleaned = {name: REDACTED if name == "name" else value for name, value in data.items()}
    return {**cleaned, "changes": changes} if "changes" in data else cleaned
