"""Make thumbnails after uploads were answered."""

import datetime as dt
import io

import structlog
from django.db import DatabaseError, InterfaceError
from django.db.models import F

from core.db.leases import Lease
from core.db.transactions import is_database_unavailable, unit_of_work
from core.errors import Busy, StorageUnavailable
from incidents.attachments import decoders, storing
from incidents.attachments.kinds import Bomb, Damaged
from incidents.attachments.storing import measure_file
from incidents.digest import copy_digest
from incidents.models import Attachment

log = structlog.get_logger(__name__)

BATCH = 20
ATTEMPTS = 3
lease = Lease("thumbnail_due_at", dt.timedelta(minutes=5))
OUTAGE_PAUSE = dt.timedelta(minutes=1)


def make_batch(now: dt.datetime) -> int:
    """Make due thumbnails; return how many pictures were claimed."""
    due = Attachment.objects.filter(thumbnail_due_at__lte=now).order_by("thumbnail_due_at")
    return sum(_claim_and_make(attachment, now) for attachment in list(due[:BATCH]))


def _claim_and_make(attachment: Attachment, now: dt.datetime) -> bool:
    if not _claim(attachment, now):
        return False
    try:
        _make(attachment, now)
    except (DatabaseError, InterfaceError) as error:
        if is_database_unavailable(error):
            _spared.add(attachment.pk)
        raise
    return True


# Whose last attempt this process could not write down, for the database failed: it does not count.
_spared: set[int] = set()


def _claim(attachment: Attachment, now: dt.datetime) -> bool:
    """Claim the picture for this process; False if another one was faster."""
    counted = int(attachment.pk not in _spared)
    attachment.thumbnail_attempts += counted
    is_mine = lease.claim(attachment, now, thumbnail_attempts=F("thumbnail_attempts") + counted)
    _spared.discard(attachment.pk)
    return is_mine


def _make(attachment: Attachment, now: dt.datetime) -> None:
    """Make it, outside of any transaction; the attempt was counted before, in case it crashes the process."""
    if attachment.thumbnail_attempts > ATTEMPTS:
        _give_up(attachment, "the process ended each time")
        return
    small = io.BytesIO()
    written: list[str] = []
    try:
        with storing.open_verified(storing.served_file(attachment)) as source:
            decoders.make_thumbnail(source, small)
        key = storing.write_file(small, now, written)
    except (Bomb, Damaged) as error:
        _try_later(attachment, now, str(error))
    except storing.FileAltered:
        _try_later(attachment, now, "the file was altered")
    except Busy:
        _pause(attachment, now)
    except StorageUnavailable as error:
        storing.discard(written)
        _after_outage(attachment, now, error)
    else:
        _finish(attachment, key, copy_digest(attachment.sha256, "thumbnail", measure_file(small)[1]))


@unit_of_work
def _finish(attachment: Attachment, key: str, digest: str) -> None:
    due = Attachment.objects.filter(pk=attachment.pk, thumbnail_key="")
    if not due.update(thumbnail_key=key, thumbnail_digest=digest, thumbnail_due_at=None):
        storing.discard([key])  # the attachment was removed meanwhile, or has its thumbnail from somebody else


def _after_outage(attachment: Attachment, now: dt.datetime, error: StorageUnavailable) -> None:
    """Not count the attempt when the store is away; a lost file counts."""
    if isinstance(error, storing.FileMissing):
        _try_later(attachment, now, "the file is missing")
        return
    _pause(attachment, now)


def _pause(attachment: Attachment, now: dt.datetime) -> None:
    row = Attachment.objects.filter(pk=attachment.pk)
    row.update(thumbnail_due_at=now + OUTAGE_PAUSE, thumbnail_attempts=attachment.thumbnail_attempts - 1)


def _try_later(attachment: Attachment, now: dt.datetime, reason: str) -> None:
    if attachment.thumbnail_attempts >= ATTEMPTS:
        _give_up(attachment, reason)
        return
    pause = dt.timedelta(minutes=attachment.thumbnail_attempts)
    Attachment.objects.filter(pk=attachment.pk).update(thumbnail_due_at=now + pause)


def _give_up(attachment: Attachment, reason: str) -> None:
    log.warning("thumbnail_given_up", attachment=attachment.pk, reason=reason)
    Attachment.objects.filter(pk=attachment.pk).update(thumbnail_due_at=None)
