"""What a payload reader makes of a sender's message: alerts in our own words. Pure."""

import datetime as dt
import enum
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TITLE_LENGTH = 200
FINGERPRINT_LENGTH = 500


class Action(enum.StrEnum):
    """What the sender wants done."""

    FIRE = "fire"
    RESOLVE = "resolve"
    ACKNOWLEDGE = "acknowledge"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class AlertUpdate:
    """One alert as its sender tells it.

    `fingerprint` is the sender's own identity of the alert, else computed from the labels or the title. `severity` is
    critical, high, medium, low or "" (the source decides). Times are UTC, None where not told; `ends_at` of one that
    fires is when it expires. `links` are `{"href": …, "text": …}`. `user` is who acted at the sender, `note` what they
    said. `is_expiry` marks an end that nobody told us of.

    `status_word` and `severity_word` are the sender's own, for the source's maps; `is_guess` says that nobody knows the
    status word. `may_never_end` marks a sender that may never say that it is over.
    """

    title: str
    action: Action = Action.FIRE
    fingerprint: str = ""
    severity: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Mapping[str, str], ...] = ()
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    note: str = ""
    user: str = ""
    is_expiry: bool = False
    status_word: str = ""
    severity_word: str = ""
    is_guess: bool = False
    may_never_end: bool = False

    @property
    def identity(self) -> str:
        """Return the fingerprint, given or computed, as it is kept."""
        if self.fingerprint:
            return short_fingerprint(self.fingerprint)
        facts = "\0".join(f"{name}\1{value}" for name, value in sorted(self.labels.items())) or self.title
        return hashlib.sha256(facts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Leftover:
    """What of a list could not be read: `body` holds those items alone, for the same adapter to read again; `reasons`
    are the number of each in the list (from 1), and why."""

    body: bytes
    reasons: tuple[tuple[int, str], ...]

    @property
    def reason(self) -> str:
        """Return all of it in one text."""
        return " ".join(f"Item {number}: {why}" for number, why in self.reasons)


class AlertUpdates(list[AlertUpdate]):
    """The updates of a list, and what of it could not be read."""

    def __init__(self, updates: Iterable[AlertUpdate] = (), leftover: Leftover | None = None) -> None:
        super().__init__(updates)
        self.leftover = leftover


@dataclass(frozen=True, slots=True)
class Change:
    """A change that somebody made to a system, as a sender tells it.

    `services` are names that may be those of services, likeliest first. `details` are text to text; `links` are as a
    an update's. `occurred_at` is aware and UTC; None means that the sender did not say.
    """

    summary: str
    origin: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Mapping[str, str], ...] = ()
    services: tuple[str, ...] = ()
    occurred_at: dt.datetime | None = None


def short_fingerprint(fingerprint: str) -> str:
    """Return a fingerprint as it is kept, in at most FINGERPRINT_LENGTH characters."""
    if len(fingerprint) <= FINGERPRINT_LENGTH:
        return fingerprint
    digest = hashlib.sha256(fingerprint.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{fingerprint[: FINGERPRINT_LENGTH - 1 - len(digest)]}#{digest}"


def to_json(update: AlertUpdate) -> dict[str, Any]:
    """Return an update as plain JSON values, for the queue; empty members are left out."""
    value: dict[str, Any] = {name: getattr(update, name) for name in AlertUpdate.__slots__}
    value["action"] = update.action.value
    value["links"] = list(update.links)
    for name in ("starts_at", "ends_at"):
        value[name] = value[name].isoformat() if value[name] else None
    return {name: part for name, part in value.items() if part}


def from_json(value: Mapping[str, Any]) -> AlertUpdate:
    """Return an update from what `to_json` made of it."""
    times = {name: dt.datetime.fromisoformat(value[name]) for name in ("starts_at", "ends_at") if value.get(name)}
    action = Action(value.get("action", "fire"))
    return AlertUpdate(**{"title": "", **value, **times, "action": action, "links": tuple(value.get("links", ()))})
