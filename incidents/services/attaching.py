"""Files join an incident, and leave it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.db.transactions import unit_of_work
from core.errors import NotFound, PermissionRefused
from incidents.attachments import Checked, inspect, storing
from incidents.digest import copy_digest
from incidents.models import Attachment, EventKind, Incident, Origin
from incidents.permissions import can_work_on, require_voice
from incidents.services.recording import ChangeContext, IncidentChange, lock
from incidents.services.reporting import report
from users.models import User

__all__ = ["StoredFiles", "attach", "inspect", "remove", "report_with_files", "store"]


@dataclass(frozen=True)
class Stored:
    """A checked file and where it lies now."""

    checked: Checked
    original_key: str
    served_key: str


@dataclass(frozen=True)
class StoredFiles:
    """Checked files that lie in the store, before anything names them. Who stored them calls `settle` in the end."""

    files: Sequence[Stored]
    written: storing.Written

    def settle(self, failure: BaseException | None = None) -> None:
        """Delete them unless they were attached; `failure` is what was raised in place of that."""
        self.written.settle(failure)


def store(checked: Sequence[Checked]) -> StoredFiles:
    """Write the files that `inspect` accepted, however long that takes: outside of any transaction.

    Raises StorageUnavailable, and leaves none of them behind then.
    """
    now, written = timezone.now(), storing.Written.begin()
    try:
        files = [
            Stored(
                checked=file,
                original_key=storing.write(file.source, now, written.keys),
                served_key=storing.write(file.copy, now, written.keys) if file.copy else "",
            )
            for file in checked
        ]
    except BaseException:
        storing.discard(written.keys)
        raise
    return StoredFiles(files, written)


def attach(
    incident: Incident,
    files: Sequence[Checked] | StoredFiles,
    *,
    by: User | None,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> list[Attachment]:
    """Attach files that `inspect` accepted, each with its event. Who may comment may attach.

    All or nothing: whatever fails, the database, the storage or a transaction around this one, no row stays and no
    file either; only where the answer to a COMMIT was lost do files wait for `sweep`. Files that were not stored yet
    are, before the transaction. Raises StorageUnavailable, and NotFound when the incident was deleted meanwhile.
    """
    require_voice(by, incident)
    if isinstance(files, StoredFiles):
        return _attach(incident, files, ChangeContext.now(by, origin, at))
    stored = store(files)
    with stored.written.followed():
        return _attach(incident, stored, ChangeContext.now(by, origin, at))


@unit_of_work
def _attach(incident: Incident, stored: StoredFiles, act: ChangeContext) -> list[Attachment]:
    locked = lock(incident)
    require_voice(act.by, locked)  # it may have been restricted, or handed over, while the files were stored
    return _record(locked, stored, act)


def report_with_files(files: Sequence[Checked] | StoredFiles, **fields: Any) -> Incident:
    """Open an incident with files that `inspect` accepted, as `report` does: both or neither.

    Raises what `report` and `attach` raise.
    """
    if isinstance(files, StoredFiles):
        return _report(files, fields)
    stored = store(files)
    with stored.written.followed():
        return _report(stored, fields)


@unit_of_work
def _report(stored: StoredFiles, fields: dict[str, Any]) -> Incident:
    incident = report(**fields)
    _record(incident, stored, ChangeContext.now(fields.get("by"), fields.get("origin", Origin.API), fields.get("at")))
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
    entry = IncidentChange(incident, ChangeContext.now(by, origin))
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


def _record(incident: Incident, stored: StoredFiles, act: ChangeContext) -> list[Attachment]:
    """The rows and events of stored files, on an incident that is locked or new."""
    entry, attachments = IncidentChange(incident, act), []
    transaction.on_commit(stored.written.confirm)
    for file in stored.files:
        attachment = _row(incident, file, entry.act)
        attachment.save(force_insert=True)
        entry.note(EventKind.ATTACHMENT_ADDED, data=_facts(attachment))
        attachments.append(attachment)
    if attachments:
        _mark_changed(entry)
    entry.save()
    return attachments


def _mark_changed(entry: IncidentChange) -> None:
    """An incident is shown with its files, so that its version and entity tag must change with them."""
    entry.columns.add("updated_at")


def _row(incident: Incident, stored: Stored, act: ChangeContext) -> Attachment:
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
