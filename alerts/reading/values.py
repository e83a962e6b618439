"""Values out of what strangers send: never an exception but IntakeError, never a type that was not asked for."""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

import orjson

from alerts.reading.words import action_of, severity_of
from alerts.updates import Action
from core.text.encodings import BYTE_ORDER_MARK
from intake.requests import IntakeError, IntakeRequest

# With or without a colon in the zone; PagerDuty and CloudWatch leave it out. Go writes nine digits of a second, and
# where it is not asked for a format, "+0000 UTC"; PagerDuty's Python client "+00:00Z".
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*(Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?(?: UTC|Z)?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
_EXPONENT = re.compile(r"\d{1,20}(\.\d{1,20})?[eE]\+?\d{1,2}", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FINEST_SECONDS = 100_000_000_000  # the year 5138; what is larger was meant in a finer unit
_LATEST = _EPOCH + dt.timedelta(seconds=_FINEST_SECONDS)  # later ones mean never; zones take some past the calendar
MOST_LABELS = 100_000  # that are looked at; fewer are kept
SEVERITIES = ("critical", "high", "medium", "low")


def json_object(request: IntakeRequest) -> dict[str, Any]:
    """Return the body as a JSON object, whatever its Content-Type says."""
    value = request.json
    if not isinstance(value, dict):
        raise IntakeError("The body is JSON, but not an object.")
    return value


def mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a value as text: "" for null and what is empty, compact JSON for objects and lists; without NUL, which no
    database takes, and byte order marks."""
    if type(value) is not str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (dict, list)):
            value = orjson.dumps(value).decode() if value else ""
        value = str(value)
    if "\0" in value or BYTE_ORDER_MARK in value:
        value = value.replace("\0", "").replace(BYTE_ORDER_MARK, "")
    return str(value.strip())


def first(*values: Any) -> str:
    """Return the first value that says anything, as text."""
    return next((said for said in map(text, values) if said), "")


def texts(value: Any) -> dict[str, str]:
    """Return an object as text to text, without what says nothing; nested values as compact JSON."""
    found = ((text(name), text(part)) for name, part in islice(mapping(value).items(), MOST_LABELS))
    return {name: said for name, said in found if name and said}


def labels(**facts: Any) -> dict[str, str]:
    """Return the facts that say anything, as labels."""
    return texts(facts)


def links(*pairs: tuple[str, Any]) -> tuple[dict[str, str], ...]:
    """Return links from (text, address); only http and https, for they end up in pages."""
    found = ((name, text(address)) for name, address in pairs)
    return tuple({"href": href, "text": name} for name, href in found if _ADDRESS.fullmatch(href))


def moment(value: Any) -> dt.datetime | None:
    """Return a time in UTC from ISO 8601, or seconds, milli-, micro- or nanoseconds since 1970 as number or digits.

    None for nothing, for nonsense, for the year 1, by which Go means "not set", and for what lies before 1970 or after
    5138. Without a zone it is UTC.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        if not 0 < value < 1e20:  # also what is not a number, and the infinite
            return None
        value = str(value) if isinstance(value, int) else f"{value:.6f}"
    if not isinstance(value, str):
        return None
    value = value.strip()
    if _EXPONENT.fullmatch(value):
        value = f"{Decimal(value):f}"
    return from_number(value) if _NUMBER.fullmatch(value) else _from_words(value)


def severity(value: Any, words: Mapping[str, str] | None = None) -> str:
    """Return our severity for the sender's word, by its own scale or the common one; "" for one that nobody knows."""
    said = "" if isinstance(value, (dict, list)) else text(value)
    return (words or {}).get(said.lower(), "") or severity_of(said)


def state(value: Any, words: Mapping[str, Action] | None = None) -> tuple[Action, bool]:
    """Return what the sender's word for a state asks for, by its own words or the common ones, and whether that is a
    guess: what nobody knows fires, better once too often."""
    said = text(value)
    if isinstance(value, (dict, list)):
        return Action.FIRE, bool(said)
    found = (words or {}).get(said.lower()) or action_of(said)
    return found or Action.FIRE, found is None and bool(said)


def from_number(digits: str) -> dt.datetime | None:
    """Return so many seconds, or thousandths, millionths, billionths of them, after 1970; None for what is no such
    time."""
    seconds = Decimal(digits)
    for _unit in ("milli", "micro", "nano"):
        if seconds > _FINEST_SECONDS:
            seconds /= 1000
    if not 0 < seconds <= _FINEST_SECONDS:
        return None
    return _EPOCH + dt.timedelta(microseconds=int(seconds * 1_000_000))


def _from_words(value: str) -> dt.datetime | None:
    match = _TIME.fullmatch(value)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    zone = "+00:00" if not zone or zone[0] not in "+-" else zone
    seconds = clock if len(clock) > 5 else f"{clock}:00"
    try:
        found = dt.datetime.fromisoformat(f"{day}T{seconds}.{(fraction or '0')[:6]:0<6}{zone}").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return found if _EPOCH < found <= _LATEST else None
