"""Keep what comes in, once, before it is processed."""

import datetime as dt
import hashlib
from email import policy
from email.parser import BytesHeaderParser

from django.db import IntegrityError

from core.db import rows
from core.db.transactions import unit_of_work
from core.server.jobs import wake
from notifications.channels.email.inbound.headers import header, identity_of, printable, sender_of
from notifications.models import InboundMail
from notifications.vocabulary import InboundState

JOB = "process_inbound_mail"
MAX_BYTES = 15 * 1024 * 1024  # MariaDB takes 16 MB in a statement unless it is told otherwise
MAX_HEAD = 256 * 1024


def receive(
    raw: bytes, *, now: dt.datetime, size: int | None = None, envelope_sender: str | None = None, recipient: str = ""
) -> bool:
    """Store a mail; return False if it is here already. `size` is the whole mail's."""
    row = _row_of(raw, now, size or len(raw), envelope_sender, recipient)
    if InboundMail.objects.filter(message_key=row.message_key).exists():
        return False
    try:
        _insert(row)
    except IntegrityError:
        if InboundMail.objects.filter(message_key=row.message_key).exists():
            return False  # another process was quicker
        raise
    return True


@unit_of_work
def _insert(row: InboundMail) -> None:
    rows.insert(row)
    wake(JOB)


def _row_of(raw: bytes, now: dt.datetime, size: int, envelope_sender: str | None, recipient: str) -> InboundMail:
    mail = BytesHeaderParser(policy=policy.compat32).parsebytes(_head(raw))
    _, sender = sender_of(mail)
    return InboundMail(
        message_key=_key_of(identity_of(mail), sender, raw),
        raw=raw[:MAX_BYTES],
        byte_count=size,
        is_cut=size > min(len(raw), MAX_BYTES),
        sender=sender,
        subject=header(mail, "Subject")[:300],
        recipient=printable(recipient)[:320],
        envelope_sender=None if envelope_sender is None else printable(envelope_sender)[:320],
        state=InboundState.WAITING,
        received_at=now,
        due_at=now,
    )


def _head(raw: bytes) -> bytes:
    ends = [end for mark in (b"\n\n", b"\r\n\r\n") if (end := raw.find(mark, 0, MAX_HEAD)) >= 0]
    return raw[: min(ends, default=MAX_HEAD)]


def _key_of(identity: str, sender: str, raw: bytes) -> str:
    known = f"{identity}\0{sender}".encode() if identity else raw
    return hashlib.sha256(known).hexdigest()
