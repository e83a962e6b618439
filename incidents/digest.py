"""The chain of digests that seals a timeline. Pure but for the key, which is a setting of its own.

An event's digest is HMAC-SHA256 over the previous digest and the event's canonical JSON: sorted keys, no spaces, no
floats, times as ISO 8601 UTC with microseconds. What somebody wrote (`body`) and the facts (`data`) enter as their own
keyed digests, so that a leaked secret can be taken out of either without breaking the chain: the redaction event
carries the digests of what was taken out, and of what was left in its place.

An incident keeps the head of its chain, which the next event follows: the last event's digest, sealed once more. The
heads of shorter chains stand nowhere, so that nobody can cut the end off a timeline and make the incident agree.
Events and heads have keys of their own: digests of texts are told by redactions, and a text may be written to look like
either. Schema 1 had neither; its timelines verify as they were written.

Since schema 3 an event's digest covers the incident's number, so that a timeline belongs to one number and no other.
The number is known only when the incident is stored, so that the head after the first event covers the incident's uid
alone. Since schema 4 it covers the machine that acted. Timelines that began before verify as they were written.

What the timeline does not tell is sealed by the digest of the incident's row, which covers all that is written to it
by an act, and the head of the chain as it stood then.
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
NUMBERED = 3  # since this schema an event knows its incident's number
MACHINES = 4  # and since this one the machine that acted


@dataclass(frozen=True)
class Sealed:
    """The facts of an event that its digest covers."""

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
    """Return the keyed digest of a text, or of an event's facts; keyed, because a short secret's plain hash can be
    guessed."""
    return _hmac(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else _canonical(content))


def event_digest(previous: str, event: Sealed) -> str:
    """Return the digest of an event that follows the chain with head `previous` ("" for the first)."""
    fields = dict(vars(event))
    if event.schema < NUMBERED:
        del fields["incident_number"]
    if event.schema < MACHINES:
        del fields["machine_kind"], fields["machine_name"]
    return _hmac(previous.encode() + b"\n" + _canonical(fields), use="" if event.schema == 1 else "event")


def head_digest(event: Sealed, event_digest: str) -> str:
    """Return the head of a chain that ends with this event: of the first, the incident's uid; since schema 2, sealed
    once more."""
    if event.seq == 1 and event.schema >= NUMBERED:
        return opening_head(event.incident_uid)
    return event_digest if event.schema == 1 else _hmac(event_digest.encode(), use="head")


def copy_digest(original: str, variant: str, sha256: str) -> str:
    """Return the keyed digest of a file made from an original; both are given by their SHA-256."""
    return _hmac(f"{original}\0{variant}\0{sha256}".encode(), use="copy")


def opening_head(incident_uid: str) -> str:
    """Return the head of a chain of one event, since schema 3."""
    return _hmac(incident_uid.encode(), use="opening")


def row_digest(columns: dict[str, Any], number: int | None) -> str:
    """Return the keyed digest of an incident's row; without its number where that was not known yet."""
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
