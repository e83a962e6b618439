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
alone. Timelines that began before verify as they were written.

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

SCHEMA = 3
NUMBERED = 3  # since this schema an event knows its incident's number


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


def text_digest(text: str) -> str:
    """The keyed digest of a text; keyed, because a short secret's plain hash can be guessed."""
    return _hmac(text.encode("utf-8", "surrogatepass"))


def data_digest(data: dict[str, Any]) -> str:
    """The keyed digest of an event's facts."""
    return _hmac(_canonical(data))


def event_digest(previous: str, event: Sealed) -> str:
    """The digest of an event that follows the chain with head `previous` ("" for the first)."""
    fields = {
        **vars(event),
        "occurred_at": _time(event.occurred_at),
        "received_at": _time(event.received_at),
    }
    if event.schema < NUMBERED:
        del fields["incident_number"]
    return _hmac(previous.encode() + b"\n" + _canonical(fields), use="" if event.schema == 1 else "event")


def head_digest(last: str, schema: int) -> str:
    """The head of a chain that ends with an event of this digest and schema."""
    return last if schema == 1 else _hmac(last.encode(), use="head")


def copy_digest(original: str, variant: str, sha256: str) -> str:
    """The keyed digest of a file made from an original; both are given by their SHA-256."""
    return _hmac(f"{original}\0{variant}\0{sha256}".encode(), use="copy")


def opening_head(incident_uid: str) -> str:
    """The head of a chain of one event, since schema 3."""
    return _hmac(incident_uid.encode(), use="opening")


def row_digest(columns: dict[str, Any], number: int | None) -> str:
    """The keyed digest of an incident's row; without its number where that was not known yet."""
    plain = {name: _plain(value) for name, value in columns.items()}
    return _hmac(_canonical([number, plain]), use="row")


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return _time(value)
    return str(value) if isinstance(value, uuid.UUID) else value


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _hmac(message: bytes, *, use: str = "") -> str:
    key = f"{settings.HISTORY_KEY}\0{use}" if use else settings.HISTORY_KEY
    return hmac.digest(key.encode(), message, hashlib.sha256).hex()
