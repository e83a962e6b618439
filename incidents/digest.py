"""Seal a timeline with a chain of keyed digests.

Bodies and data enter as digests, so that a secret can be redacted without breaking the chain. Its head is the last
digest, sealed once more, so that nobody can cut the end off; events and heads have separate keys, because redactions
reveal digests of texts. Schema 1 had neither.
"""

import datetime as dt
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings

SCHEMA = 4
NUMBERED = 3  # the first schema with the incident's number
MACHINES = 4  # the first with the machine that acted


@dataclass(frozen=True)
class SealedEvent:
    """What a digest covers."""

    incident_uid: str
    seq: int
    kind: str
    actor_id: int | None
    actor_name: str
    origin: str
    visibility: str
    occurred_at: dt.datetime
    received_at: dt.datetime
    body_digest: str
    data_digest: str
    schema: int = SCHEMA
    incident_number: int | None = None
    machine_kind: str = ""
    machine_name: str = ""


def content_digest(content: str | dict[str, Any]) -> str:
    """Return a keyed digest, because a short secret's plain hash can be guessed."""
    return _hmac(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else _canonical(content))


def event_digest(previous: str, event: SealedEvent) -> str:
    """Return the digest of an event after the head `previous` ("" for the first)."""
    fields = dict(vars(event))
    if event.schema < NUMBERED:
        del fields["incident_number"]
    if event.schema < MACHINES:
        del fields["machine_kind"], fields["machine_name"]
    return _hmac(previous.encode() + b"\n" + _canonical(fields), use="" if event.schema == 1 else "event")


def head_digest(event: SealedEvent, event_digest: str) -> str:
    """Return the head after an event."""
    if event.seq == 1 and event.schema >= NUMBERED:
        return opening_head(event.incident_uid)
    return event_digest if event.schema == 1 else _hmac(event_digest.encode(), use="head")


def copy_digest(original: str, variant: str, sha256: str) -> str:
    """Return a copy's digest; files are given by their SHA-256."""
    return _hmac(f"{original}\0{variant}\0{sha256}".encode(), use="copy")


def opening_head(incident_uid: str) -> str:
    """Return the head after a first event."""
    return _hmac(incident_uid.encode(), use="opening")


def row_digest(columns: dict[str, Any], number: int | None) -> str:
    """Return a row's digest; `number` is None before it is stored."""
    return _hmac(_canonical([number, columns]), use="row")


def _canonical(value: Any) -> bytes:
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_in_canonical_form
    )
    return text.encode()


def _in_canonical_form(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{value!r} has no canonical form")


def _hmac(message: bytes, *, use: str = "") -> str:
    key = f"{settings.HISTORY_KEY}\0{use}" if use else settings.HISTORY_KEY
    return hmac.digest(key.encode(), message, hashlib.sha256).hex()
