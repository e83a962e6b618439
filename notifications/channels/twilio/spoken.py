"""What a call says, encrypted in the address that Twilio fetches: proxies log addresses."""

import base64
import hashlib
import re
from dataclasses import asdict, dataclass

import orjson
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from core.text.languages import reading
from notifications.channels.chat.words import severity_label
from notifications.channels.port import Message

MINUTES = 60  # a queued call that rings later than this says that it is too old
MOST_TITLE = 300
MOST_LINE = 200


@dataclass(frozen=True)
class Spoken:
    """A message for the phone; `key` is the delivery's."""

    key: str
    kind: str
    title: str
    body: str
    why: str
    reference: str
    severity: str
    language: str
    count: int


def seal(message: Message) -> str:
    """Return the message's words for an address."""
    spoken = Spoken(
        key=message.key,
        kind=message.kind,
        title=_title(message)[:MOST_TITLE],
        body=message.body[:MOST_TITLE],
        why=next(iter(message.lines), "")[:MOST_LINE],
        reference=message.reference,
        severity=message.severity,
        language=message.language,
        count=message.count,
    )
    return _box().encrypt(orjson.dumps(asdict(spoken))).decode()


def _title(message: Message) -> str:
    """Return the title without reference and severity, said before it."""
    with reading(message.language):
        severity = severity_label(message.severity)
    prefix = rf"{re.escape(message.reference)}\s+(?:{re.escape(severity)}\s*[:：]\s*)?"
    return re.sub(prefix, "", message.title, count=1, flags=re.IGNORECASE) if message.reference else message.title


def unseal(text: str) -> Spoken | None:
    """Return the words of an address; None if it is not ours or too old."""
    try:
        return Spoken(**orjson.loads(_box().decrypt(text.encode("utf-8", "replace"), ttl=MINUTES * 60)))
    except (InvalidToken, TypeError, ValueError):
        return None


def _box() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"spoken:{settings.SECRET_KEY}".encode()).digest()))
