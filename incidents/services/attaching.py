"""Attach files to incidents, and remove them."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.db import rows
from core.db.transactions import unit_of_work
from core.errors import NotFound, PermissionRefused
from incidents.actors import By, person
from incidents.attachments import Checked, inspect, storing
from incidents.attachments.storing import measure_file
from incidents.digest import copy_digest
from incidents.models import Attachment, EventKind, Incident, Origin
from incidents.permissions import can_work_on, require_comment
from incidents.services.recording import ChangeContext, IncidentChange, lock
from users.models import User

__all__ = ["StoredFiles", "attach", "inspect", "kept", "remove", "store"]


@dataclass(frozen=True)
class Stored:
    """A checked file and its storage keys."""

    checked: Checked
    original_key: str
    served_key: str


@dataclass(frozen=True)
class StoredFiles:
    """Files stored ahead of their rows; call `written.settle` in the end."""

    files: Sequence[Stored]
    written: storing.WrittenFiles
    rows: list[Attachment] = field(default_factory=list)  # once they are attached


def store(checked: Sequence[Checked]) -> StoredFiles:
    """Store checked files outside any transaction, all or none. Raises StorageUnavailable."""
    now = timezone.now()
    newest = Attachment.objects.order_by("-pk").values_list("pk", flat=True).first()
    written = storing.WrittenFiles(newest or 0)
    try:
        files = [
            Stored(
                checked=file,
                original_key=storing.write_file(file.source, now, written.keys),
                served_key=storing.write_file(file.copy, now, written.keys) if file.copy else "",
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
    by: By,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> list[Attachment]:
    """Attach checked files, each with its event, all or none. Requires the right to comment.

    Raises StorageUnavailable, and NotFound for an incident deleted meanwhile.
    """
    require_comment(by, incident)
    with kept(files) as stored:
        return _attach(incident, stored, ChangeContext.now(by, origin, at)) if stored else []


@contextmanager
def kept(files: Sequence[Checked] | StoredFiles) -> Iterator[StoredFiles | None]:
    """Store files around this block, and delete them if it fails."""
    if isinstance(files, StoredFiles):
        yield files
    elif not files:
        yield None
    else:
        stored = store(files)
        with stored.written.discard_on_failure():
            yield stored


@unit_of_work
def _attach(incident: Incident, stored: StoredFiles, context: ChangeContext) -> list[Attachment]:
    locked = lock(incident)
    require_comment(context.by, locked)  # it may have been restricted, or handed over, while the files were stored
    change = IncidentChange(locked, context)
    attachments = add_files(change, stored)
    _mark_changed(change)
    change.save()
    return attachments


@unit_of_work
def remove(attachment: Attachment, *, by: By, origin: str = Origin.API) -> None:
    """Delete a file for good; its event stays. Raises PermissionRefused.

    Allowed to those who work on the incident, and to the uploader while it is open.
    """
    incident = lock(attachment.incident)
    remover = person(by)
    if remover is not None and not may_remove(
        remover, attachment, incident, works=can_work_on(remover, incident.team_id)
    ):
        raise PermissionRefused(
            _("Only those who work on the incident can remove files, and uploaders their own while it is open.")
        )
    attachment = _locked(attachment)
    change = IncidentChange(incident, ChangeContext.now(by, origin))
    change.add_event(EventKind.ATTACHMENT_REMOVED, data=_facts(attachment))
    _mark_changed(change)
    change.save()
    keys = storing.keys_of(attachment)
    attachment.delete()
    # Files go last and only once the rows are gone: a file without a row is litter, a row without a file is a loss.
    transaction.on_commit(lambda: storing.discard(keys))


def _locked(attachment: Attachment) -> Attachment:
    row = Attachment.objects.select_for_update().filter(pk=attachment.pk).first()
    if row is None:
        raise NotFound(_("%(attachment)s has been removed in the meantime.") % {"attachment": attachment.name})
    return row


def may_remove(by: User, attachment: Attachment, incident: Incident, *, works: bool) -> bool:
    """Return whether somebody, who works on the incident or not, may remove a file."""
    return works or (attachment.uploaded_by_id == by.pk and incident.is_still_open)


def add_files(change: IncidentChange, stored: StoredFiles) -> list[Attachment]:
    """Insert rows of stored files, each with its event."""
    transaction.on_commit(partial(setattr, stored.written, "is_committed", True))
    stored.rows[:] = [_row(change.incident, file, change.context) for file in stored.files]
    rows.insert(*stored.rows)
    for attachment in stored.rows:
        change.add_event(EventKind.ATTACHMENT_ADDED, data=_facts(attachment))
    return stored.rows


def _mark_changed(change: IncidentChange) -> None:
    change.columns.add("updated_at")


def _row(incident: Incident, stored: Stored, context: ChangeContext) -> Attachment:
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
        served_digest=copy_digest(checked.sha256, "file", measure_file(checked.copy)[1]) if checked.copy else "",
        served_media_type=checked.kind.served_media_type,
        thumbnail_due_at=context.received_at if checked.width is not None else None,
        uploaded_by=context.actor.user,
        created_at=context.at,
    )


def _facts(attachment: Attachment) -> dict[str, Any]:
    return {name: getattr(attachment, name) for name in ("id", "name", "media_type", "size", "sha256")}
