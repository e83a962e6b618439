"""Redact leaked text."""

from collections.abc import Callable, Collection
from typing import Any

from auditlog.models import LogEntry
from django.utils import timezone
from django.utils.translation import gettext as _

from core.api.idempotency import redact_text
from core.db.transactions import unit_of_work
from core.errors import Conflict
from incidents import digest
from incidents.actors import By
from incidents.models import Attachment, EventKind, Incident, IncidentEvent, Origin, Visibility
from incidents.permissions import require_admin
from incidents.services.recording import ChangeContext, IncidentChange, lock

REDACTED = "[removed]"
TEXT_FIELDS = ("title", "description", "location")
FILE_EVENTS = (EventKind.ATTACHMENT_ADDED, EventKind.ATTACHMENT_REMOVED)

Texts = dict[str, str]
# (incident, leaked texts, what stands in their place)
Cleaner = Callable[[int, Collection[str], str], object]

_cleaners: list[Cleaner] = []


def register_cleaner(clean: Cleaner) -> None:
    """Call this in the transaction of a redaction, to remove the texts from an app's copies."""
    _cleaners.append(clean)


@unit_of_work
def redact(event: IncidentEvent, *, by: By, reason: str = "", origin: str = Origin.API) -> IncidentEvent:
    """Remove a leaked text from an event, keeping the fact, the chain of digests, and who removed it.

    Removes the body, the text fields among the changes and a file's name, also from the incident, its other events, the
    search document, the audit log, remembered responses and what people were told. The file itself stays.
    """
    require_admin(by)
    incident = lock(event.incident)
    event = IncidentEvent.objects.select_for_update().get(pk=event.pk)
    if event.kind == EventKind.REDACTED:
        raise Conflict(_("This entry records a removal itself; there is nothing to remove."))
    change = IncidentChange(incident, ChangeContext.now(by, origin))
    leaked, file_name = _texts_set_by(event), _file_name_in(event)
    texts = {event.body, file_name, *leaked.values()} - {"", REDACTED}
    _empty(change, event, _without_texts(event.data), reason)
    for other in _others_with(leaked, event):
        _empty(change, other, _without(leaked, other.data), reason)
    if file_name:
        _rename_file(change, event, reason)
    for name, text in leaked.items():
        if getattr(incident, name) == text:
            setattr(incident, name, REDACTED)
            change.columns.add(name)
    change.is_searchable_changed = True
    change.save()
    _clean_audit_log(incident, leaked)
    for text in texts:
        redact_text(text, instead=REDACTED)
    for clean in _cleaners if texts else ():
        clean(incident.pk, texts, REDACTED)
    return event


def _empty(change: IncidentChange, event: IncidentEvent, data: dict[str, Any], reason: str) -> None:
    taken_out = _digests(event)
    event.data = data
    event.body = REDACTED if event.body else ""
    event.redacted_at = event.redacted_at or timezone.now()
    event.save(update_fields=["body", "data", "redacted_at"])
    change.add_event(
        EventKind.REDACTED,
        visibility=Visibility(event.visibility),
        data={"seq": event.seq, "taken_out": taken_out, "left": _digests(event), "reason": reason},
    )


def _digests(event: IncidentEvent) -> dict[str, str]:
    return {"body": digest.content_digest(event.body), "data": digest.content_digest(event.data)}


def _texts_set_by(event: IncidentEvent) -> Texts:
    changes = event.data.get("changes", {})
    texts = {name: changes[name][1] for name in TEXT_FIELDS if name in changes}
    return {name: text for name, text in texts.items() if text and text != REDACTED}


def _without_texts(data: dict[str, Any]) -> dict[str, Any]:
    changes = {
        name: [REDACTED if text else text for text in pair] if name in TEXT_FIELDS else pair
        for name, pair in data.get("changes", {}).items()
    }
    cleaned = {name: REDACTED if name == "name" else value for name, value in data.items()}
    return {**cleaned, "changes": changes} if "changes" in data else cleaned


def _others_with(leaked: Texts, event: IncidentEvent) -> list[IncidentEvent]:
    if not leaked:
        return []
    events = IncidentEvent.objects.select_for_update().filter(
        incident=event.incident_id, kind__in=[EventKind.CREATED, EventKind.FIELD_CHANGED]
    )
    return [other for other in events.exclude(pk=event.pk) if _without(leaked, other.data) != other.data]


def _without(leaked: Texts, data: dict[str, Any]) -> dict[str, Any]:
    changes = {
        name: [REDACTED if name in leaked and text == leaked[name] else text for text in pair]
        for name, pair in data.get("changes", {}).items()
    }
    return {**data, "changes": changes} if "changes" in data else data


def _file_name_in(event: IncidentEvent) -> str:
    return str(event.data.get("name", "")) if event.kind in FILE_EVENTS else ""


def _rename_file(change: IncidentChange, event: IncidentEvent, reason: str) -> None:
    number = event.data["id"]
    others = IncidentEvent.objects.select_for_update().filter(incident=change.incident, kind__in=FILE_EVENTS)
    for other in others.exclude(pk=event.pk):
        if other.data["id"] == number and other.data["name"] != REDACTED:
            _empty(change, other, _without_texts(other.data), reason)
    if Attachment.objects.filter(pk=number, incident=change.incident).update(name=f"file-{number}"):
        change.columns.add("updated_at")  # an incident is shown with its files


def _clean_audit_log(incident: Incident, leaked: Texts) -> None:
    if not leaked:
        return
    for record in LogEntry.objects.get_for_object(incident):
        cleaned = _without(leaked, {"changes": record.changes or {}})["changes"]
        named = record.object_repr.replace(leaked["title"], REDACTED) if "title" in leaked else record.object_repr
        LogEntry.objects.filter(pk=record.pk).update(changes=cleaned, object_repr=named)
