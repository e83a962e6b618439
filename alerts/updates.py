"""Alerts in our own words, as payload readers return them. Pure."""

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
    """One alert as its sender reports it.

    `fingerprint` is the sender's identity, else computed. `severity` is one of ours or "" (the source decides). Times
    are UTC or None; `ends_at` of a firing one is its expiry. `links` are `{"href": …, "text": …}`; `user` acted at the
    sender, `note` is theirs; `is_expiry` marks an end that nobody sent. `status_word` and `severity_word` are for the
    source's maps; `is_guess`: the status word is unknown; `may_never_end`: the sender may never resolve it.
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
        """Return the fingerprint as stored, given or computed."""
        if self.fingerprint:
            return short_fingerprint(self.fingerprint)
        facts = "\0".join(f"{name}\1{value}" for name, value in sorted(self.labels.items())) or self.title
        return hashlib.sha256(facts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Leftover:
    """Unreadable items of a list: `body` for a replay, `reasons` by number (from 1)."""

    body: bytes
    reasons: tuple[tuple[int, str], ...]

    @property
    def reason(self) -> str:
        return " ".join(f"Item {number}: {why}" for number, why in self.reasons)


class AlertUpdates(list[AlertUpdate]):
    """The updates of a list, and its leftover."""

    def __init__(self, updates: Iterable[AlertUpdate] = (), leftover: Leftover | None = None) -> None:
        super().__init__(updates)
        self.leftover = leftover


@dataclass(frozen=True, slots=True)
class Change:
    """A change to a system, as reported.

    `services` are candidate names, likeliest first; `details` are text to text; `occurred_at` is UTC or None.
    """

    summary: str
    origin: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Mapping[str, str], ...] = ()
    services: tuple[str, ...] = ()
    occurred_at: dt.datetime | None = None


def short_fingerprint(fingerprint: str) -> str:
    """Return a fingerprint in at most FINGERPRINT_LENGTH characters."""
    if len(fingerprint) <= FINGERPRINT_LENGTH:
        return fingerprint
    digest = hashlib.sha256(fingerprint.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{fingerprint[: FINGERPRINT_LENGTH - 1 - len(digest)]}#{digest}"


def to_json(update: AlertUpdate) -> dict[str, Any]:
    """Return an update as JSON values without empty members."""
    value: dict[str, Any] = {name: getattr(update, name) for name in AlertUpdate.__slots__}
    value["action"] = update.action.value
    value["links"] = list(update.links)
    for name in ("starts_at", "ends_at"):
        value[name] = value[name].isoformat() if value[name] else None
    return {name: part for name, part in value.items() if part}


def from_json(value: Mapping[str, Any]) -> AlertUpdate:
    """Return the update that `to_json` wrote."""
    times = {name: dt.datetime.fromisoformat(value[name]) for name in ("starts_at", "ends_at") if value.get(name)}
    action = Action(value.get("action", "fire"))
    return AlertUpdate(**{"title": "", **value, **times, "action": action, "links": tuple(value.get("links", ()))})
