"""Validate configuration: return what is stored, or raise ValueError with a sentence. Pure."""

import datetime as dt
import zoneinfo
from collections.abc import Collection, Mapping
from typing import Any

from alerts.matching import NAME, MatcherInvalid, asks_for_nothing, contradiction, matchers_from
from alerts.reading.templates import problems
from alerts.updates import Action
from core.severity import SEVERITY_OF_WORD
from intake.readers import payload_readers

MAX_NAMES = 20
MAX_WORDS = 100
LONGEST_WORD = 100
# what a status word may mean
STATUS_MEANINGS = {
    "firing": Action.FIRE,
    "resolved": Action.RESOLVE,
    "acknowledged": Action.ACKNOWLEDGE,
    "ignore": Action.NOTE,
}
LONGEST_SILENCE = dt.timedelta(days=366)


def matchers(value: Any) -> list[dict[str, str]]:
    """Return matchers in full."""
    try:
        found = matchers_from(value)
    except MatcherInvalid as error:
        raise ValueError(f"{_first_wrong(value)}{error}") from error
    return [{"name": matcher.name, "op": matcher.op.value, "value": matcher.value} for matcher in found]


def wrong_matchers(stored: Any, *, must_ask: bool) -> str:
    """Return what is wrong with stored matchers; "" for good ones.

    With `must_ask`, one must ask for a value.
    """
    try:
        found = matchers_from(stored)
    except MatcherInvalid as error:
        return f"{_first_wrong(stored)}{error}"
    return contradiction(found) or (asks_for_nothing(found) if must_ask else "")


def _first_wrong(value: Any) -> str:
    for number, item in enumerate(value if isinstance(value, list) else [], start=1):
        try:
            matchers_from([item])
        except MatcherInvalid:
            return f"Matcher {number}: "
    return ""


def label_names(value: Any) -> list[str]:
    """Return distinct label names."""
    if not isinstance(value, list) or len(value) > MAX_NAMES:
        raise ValueError(f"Send a list of at most {MAX_NAMES} label names.")
    for name in value:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"{str(name)[:100]!r} is not a label name.")
    return list(dict.fromkeys(value))


def severity_map(value: Any) -> dict[str, str]:
    """Return the sender's severity words, in lower case."""
    return _words(value, tuple(SEVERITY_OF_WORD))


def status_map(value: Any) -> dict[str, str]:
    """Return the sender's status words, in lower case."""
    return _words(value, STATUS_MEANINGS)


def _words(value: Any, meanings: Collection[str]) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > MAX_WORDS:
        raise ValueError(f"Send an object that maps at most {MAX_WORDS} of the sender's values to ours.")
    for word, ours in value.items():
        if not 0 < len(word) <= LONGEST_WORD:
            raise ValueError(f"A sender's value must be 1 to {LONGEST_WORD} characters long.")
        if not isinstance(ours, str) or ours not in meanings:
            raise ValueError(f"{word}: {str(ours)[:100]!r} is not one of {', '.join(meanings)}.")
    return {word.lower(): ours for word, ours in value.items()}


def templates(value: Any, kind: str) -> dict[str, Any]:
    """Return templates by field."""
    if wrong := problems(value):
        raise ValueError(" ".join(wrong[:5]))
    if value and not getattr(payload_readers().get(kind), "TAKES_TEMPLATES", False):
        raise ValueError(f"A source of kind {kind} does not support templates: its payload format is fixed.")
    found: dict[str, Any] = value
    return found


def weekdays(value: Any) -> list[int]:
    """Return distinct weekdays in order, 0 is Monday."""
    if not isinstance(value, list) or len(value) > MAX_NAMES or any(type(day) is not int for day in value):
        raise ValueError("Send a list of numbers, 0 (Monday) to 6 (Sunday).")
    if any(not 0 <= day <= 6 for day in value):
        raise ValueError("A weekday must be a number from 0 (Monday) to 6 (Sunday).")
    return sorted(set(value))


def time_zone(value: str) -> str:
    """Return an IANA name."""
    if value not in zoneinfo.available_timezones():
        raise ValueError("Unknown time zone; use a name such as Europe/Zurich.")
    return value


def silence_times(
    starts_at: dt.datetime | None,
    ends_at: dt.datetime | None,
    days: list[int],
    starts_time: dt.time | None,
    ends_time: dt.time | None,
) -> dict[str, str]:
    """Return what is wrong with a silence's times, by field."""
    wrong: dict[str, str] = {}
    if starts_at is None or ends_at is None:
        return wrong
    if ends_at <= starts_at:
        wrong["ends_at"] = "A silence must end after it starts."
    elif ends_at - starts_at > LONGEST_SILENCE:
        wrong["ends_at"] = f"A silence lasts {LONGEST_SILENCE.days} days at most."
    if not days and (starts_time or ends_time):
        wrong["weekdays"] = "Select the weekdays on which these times apply."
    if starts_time is not None and starts_time == ends_time != dt.time.min:
        wrong["ends_time"] = "Start and end times must differ; omit both for whole days."
    return wrong
