"""Small pictures, made after the upload was answered."""

import datetime as dt
import io

import structlog
from django.db.models import F

from incident_response.exceptions import Busy, StorageUnavailable
from incidents.attachments import decoders, storing, verifying
from incidents.attachments.digests import measured
from incidents.attachments.verdicts import Bomb, Damaged
from incidents.digest import copy_digest
from incidents.models import Attachment

log = structlog.get_logger(__name__)

BATCH = 20
ATTEMPTS = 3
LEASE = dt.timedelta(minutes=5)  # whoever claims a picture and dies with it delays the next attempt by this much
OUTAGE_PAUSE = dt.timedelta(minutes=1)


def make_batch(now: dt.datetime) -> int:
    """Make the thumbnails that are due, up to a batch; returns how many pictures were claimed."""
    due = Attachment.objects.filter(thumbnail_due_at__lte=now).order_by("thumbnail_due_at")
    claimed = [attachment for attachment in list(due[:BATCH]) if _claim(attachment, now)]
    for attachment in claimed:
        _make(attachment, now)
    return len(claimed)


def _claim(attachment: Attachment, now: dt.datetime) -> bool:
    """Take the picture for this process; False when another one was quicker."""
    attachment.thumbnail_attempts += 1
    mine = Attachment.objects.filter(pk=attachment.pk, thumbnail_due_at=attachment.thumbnail_due_at)
    return bool(mine.update(thumbnail_due_at=now + LEASE, thumbnail_attempts=F("thumbnail_attempts") + 1))


def _make(attachment: Attachment, now: dt.datetime) -> None:
    """Make it, outside of any transaction. The attempt was counted before, in case the picture ends the process."""
    if attachment.thumbnail_attempts > ATTEMPTS:
        _give_up(attachment, "the process ended each time")
        return
    small = io.BytesIO()
    written: list[str] = []
    try:
        with verifying.opened(verifying.served(attachment)) as source:
            decoders.make_thumbnail(source, small)
        key = storing.write(small, now, written)
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
        _finish(attachment, key, copy_digest(attachment.sha256, "thumbnail", measured(small)[1]))


def _finish(attachment: Attachment, key: str, digest: str) -> None:
    done = Attachment.objects.filter(pk=attachment.pk, thumbnail_key="")
    if not done.update(thumbnail_key=key, thumbnail_digest=digest, thumbnail_due_at=None):
        storing.discard([key])  # the attachment was removed meanwhile, or has its thumbnail from somebody else


def _after_outage(attachment: Attachment, now: dt.datetime, error: StorageUnavailable) -> None:
    """A store that is away is no fault of the picture, so the attempt does not count; a lost file does."""
    if isinstance(error, storing.FileMissing):
        _try_later(attachment, now, "the file is missing")
        return
    _pause(attachment, now)


def _pause(attachment: Attachment, now: dt.datetime) -> None:
    """Try again in a while, as if nothing had been tried."""
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
