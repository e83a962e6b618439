"""Values from strangers: of the type asked for, or IntakeError."""

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

# PagerDuty and CloudWatch omit the zone's colon; Go writes nine digits and "+0000 UTC"; PagerDuty's Python client
# "+00:00Z"
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*(Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?(?: UTC|Z)?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
_EXPONENT = re.compile(r"\d{1,20}(\.\d{1,20})?[eE]\+?\d{1,2}", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FINEST_SECONDS = 100_000_000_000  # the year 5138; larger numbers are in a finer unit
_LATEST = _EPOCH + dt.timedelta(seconds=_FINEST_SECONDS)  # later ones mean never
MOST_LABELS = 100_000
SEVERITIES = ("critical", "high", "medium", "low")


def json_object(request: IntakeRequest) -> dict[str, Any]:
    """Return the body as a JSON object."""
    value = request.json
    if not isinstance(value, dict):
        raise IntakeError("The body is JSON, but not an object.")
    return value


def mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is an object, else {}."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a value as text without NUL: "" for empty ones, compact JSON for objects and lists."""
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
    """Return the first non-empty value as text."""
    return next((said for said in map(text, values) if said), "")


def texts(value: Any) -> dict[str, str]:
    """Return an object as text to text, without empty values."""
    found = ((text(name), text(part)) for name, part in islice(mapping(value).items(), MOST_LABELS))
    return {name: said for name, said in found if name and said}


def labels(**facts: Any) -> dict[str, str]:
    """Return the non-empty facts as labels."""
    return texts(facts)


def links(*pairs: tuple[str, Any]) -> tuple[dict[str, str], ...]:
    """Return links of (text, address), http and https only."""
    found = ((name, text(address)) for name, address in pairs)
    return tuple({"href": href, "text": name} for name, href in found if _ADDRESS.fullmatch(href))


def moment(value: Any) -> dt.datetime | None:
    """Return a UTC time of ISO 8601 or a number since 1970 in seconds to nanoseconds; None for none.

    None also for the year 1 (Go's "not set"), and outside 1970 to 5138.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        if not 0 < value < 1e20:  # also NaN and infinity
            return None
        value = str(value) if isinstance(value, int) else f"{value:.6f}"
    if not isinstance(value, str):
        return None
    value = value.strip()
    if _EXPONENT.fullmatch(value):
        value = f"{Decimal(value):f}"
    return from_number(value) if _NUMBER.fullmatch(value) else _from_words(value)


def severity(value: Any, words: Mapping[str, str] | None = None) -> str:
    """Return our severity for the sender's word; "" for an unknown one."""
    said = "" if isinstance(value, (dict, list)) else text(value)
    return (words or {}).get(said.lower(), "") or severity_of(said)


def state(value: Any, words: Mapping[str, Action] | None = None) -> tuple[Action, bool]:
    """Return what the sender's status word asks for, and whether that is a guess: unknown words fire."""
    said = text(value)
    if isinstance(value, (dict, list)):
        return Action.FIRE, bool(said)
    found = (words or {}).get(said.lower()) or action_of(said)
    return found or Action.FIRE, found is None and bool(said)


def from_number(digits: str) -> dt.datetime | None:
    """Return the time of a number since 1970; None for none."""
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
