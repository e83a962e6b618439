"""Files join an incident, and leave it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from incident_response.exceptions import NotFound, PermissionRefused
from incidents.attachments import Checked, inspect, storing
from incidents.digest import copy_digest
from incidents.models import Attachment, EventKind, Incident, Origin
from incidents.permissions import can_work_on, require_voice
from incidents.services.recording import Act, Entry, lock
from incidents.services.reporting import report
from users.models import User
from users.transactions import unit_of_work

__all__ = ["attach", "inspect", "remove", "report_with_files"]


@dataclass(frozen=True)
class Stored:
    """A checked file and where it lies now."""

    checked: Checked
    original_key: str
    served_key: str


@unit_of_work
def attach(
    incident: Incident,
    checked: Sequence[Checked],
    *,
    by: User | None,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> list[Attachment]:
    """Store files that `inspect` accepted, each with its event. Who may comment may attach.

    All or nothing: whatever fails, the database, the storage or a transaction around this one, no row stays and no
    file either. Raises StorageUnavailable, and NotFound when the incident was deleted meanwhile.
    """
    require_voice(by, incident)
    # Files go first, so that the incident is not locked while they are written.
    stored = _store(checked)
    return _record(lock(incident), stored, Act.now(by, origin, at))


@unit_of_work
def report_with_files(checked: Sequence[Checked], **fields: Any) -> Incident:
    """Open an incident with files that `inspect` accepted, as `report` does: both or neither.

    Raises what `report` and `attach` raise.
    """
    stored = _store(checked)
    incident = report(**fields)
    _record(incident, stored, Act.now(fields.get("by"), fields.get("origin", Origin.API), fields.get("at")))
    return incident


@unit_of_work
def remove(attachment: Attachment, *, by: User | None, origin: str = Origin.API) -> None:
    """Take a file away for good; the event of its removal stays.

    Those who work on the incident may, and the uploader while it is open; else raises PermissionRefused.
    """
    incident = lock(attachment.incident)
    if by is not None and not _may_remove(by, attachment, incident):
        raise PermissionRefused("Files are removed by those who work on the incident, or by who sent them while open.")
    attachment = _locked(attachment)
    entry = Entry(incident, Act.now(by, origin))
    entry.note(EventKind.ATTACHMENT_REMOVED, data=_facts(attachment))
    _mark_changed(entry)
    entry.save()
    keys = storing.keys_of(attachment)
    attachment.delete()
    # Files go last and only once the rows are gone: a file without a row is litter, a row without a file is a loss.
    transaction.on_commit(lambda: storing.discard(keys))


def _locked(attachment: Attachment) -> Attachment:
    row = Attachment.objects.select_for_update().filter(pk=attachment.pk).first()
    if row is None:
        raise NotFound(f"{attachment.name} was removed meanwhile.")
    return row


def _may_remove(by: User, attachment: Attachment, incident: Incident) -> bool:
    if can_work_on(by, incident.team_id):
        return True
    return attachment.uploaded_by_id == by.pk and incident.is_still_open


def _store(checked: Sequence[Checked]) -> list[Stored]:
    """Write the files; should the transaction fail, they are deleted."""
    now, written = timezone.now(), storing.written_with_transaction()
    return [
        Stored(
            checked=file,
            original_key=storing.write(file.source, now, written),
            served_key=storing.write(file.copy, now, written) if file.copy else "",
        )
        for file in checked
    ]


def _record(incident: Incident, stored: Sequence[Stored], act: Act) -> list[Attachment]:
    """The rows and events of stored files, on an incident that is locked or new."""
    entry, attachments = Entry(incident, act), []
    for file in stored:
        attachment = _row(incident, file, act)
        attachment.save(force_insert=True)
        entry.note(EventKind.ATTACHMENT_ADDED, data=_facts(attachment))
        attachments.append(attachment)
    if attachments:
        _mark_changed(entry)
    entry.save()
    return attachments


def _mark_changed(entry: Entry) -> None:
    """An incident is shown with its files, so that its version and entity tag must change with them."""
    entry.columns.add("updated_at")


def _row(incident: Incident, stored: Stored, act: Act) -> Attachment:
    checked = stored.checked
    return Attachment(
        incident=incident,
        name=checked.name,
        media_type=checked.kind.media_type,
        size=checked.size,
        sha256=checked.sha256,
        width=checked.width,
        height=checked.height,
        original_key=stored.original_key,
        served_key=stored.served_key,
        served_digest=copy_digest(checked.sha256, "file", checked.copy_sha256) if checked.copy else "",
        served_media_type=checked.served_media_type,
        thumbnail_due_at=act.received_at if checked.is_picture else None,
        uploaded_by=act.by,
        created_at=act.at,
    )


def _facts(attachment: Attachment) -> dict[str, Any]:
    return {name: getattr(attachment, name) for name in ("id", "name", "media_type", "size", "sha256")}
