"""Times as programs write them. Pure.

Ambiguous dates (03/04/2026) are not guessed at.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.reading.values import from_number

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FUTURE = dt.timedelta(days=1)
_LATEST_SECONDS = 253_402_300_799  # the end of the year 9999

# --- Pieces -----------------------------------------------------------------------------------------------------------

_MON = r"(?P<month>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))[a-z]*\.?"
_DAY_NAME = r"(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?"
# an offset, a name, or both (Go, Java's ZonedDateTime, JavaScript)
_AFTER = r"(?:\s?(?:[+-]\d{2,4}|Z|[A-Z]{2,5}|\[[\w/+-]+\]|\([^()]{1,60}\)))?"
_NAME = r"(?P<zone>Z|z|[A-Z]{1,5}|[A-Z][A-Za-z]+/[\w/+-]+)(?:\s?\[[\w/+-]+\])?"
_ZONE = rf"(?:\s?(?:(?:GMT|UTC)?(?P<offset>[+-]\d\d(?::?\d\d(?::?\d\d)?)?){_AFTER}|{_NAME}))?"
_SECONDS = r":(?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?"
_HALF = r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?"

# Zone names in logs; ambiguous ones (IST, BST, CST) only where one is far more usual.
_HOURS = {
    **dict.fromkeys(("Z", "UTC", "GMT", "UT", "UCT", "WET"), 0.0),
    **dict.fromkeys(("CET", "MEZ", "WEST", "WAT"), 1.0),
    **dict.fromkeys(("CEST", "MESZ", "EET", "SAST", "CAT"), 2.0),
    **dict.fromkeys(("EEST", "MSK", "EAT"), 3.0),
    **{"PKT": 5.0, "WIB": 7.0, "HKT": 8.0, "SGT": 8.0, "AWST": 8.0, "JST": 9.0, "KST": 9.0},
    **{"AEST": 10.0, "AEDT": 11.0, "ACST": 9.5, "ACDT": 10.5, "NZST": 12.0, "NZDT": 13.0},
    **{"EST": -5.0, "EDT": -4.0, "CDT": -5.0, "MST": -7.0, "MDT": -6.0, "PST": -8.0, "PDT": -7.0},
    **{"AKST": -9.0, "AKDT": -8.0, "HST": -10.0, "BRT": -3.0, "ART": -3.0},
}
# words and numbers that follow within a line are no zones
_NAMES_IN_TEXT = "|".join(sorted(_HOURS, key=len, reverse=True))
_ZONE_IN_TEXT = (
    rf"(?:\s?(?P<offset>[+-]\d\d:?\d\d)(?![\d:])|(?P<short>[+-]\d\d)(?=[\s\]]|$)"
    rf"|\s?(?P<zone>{_NAMES_IN_TEXT}|[A-Z][A-Za-z]+/[A-Z][\w/+-]+)\b)?"
)


@dataclass(frozen=True)
class Forms:
    """Patterns of whole times."""

    iso: str  # ISO 8601, RFC 3339, Go, Java, Python, PostgreSQL, MariaDB, nginx, ClickHouse
    basic: str  # 20261129T100000Z
    ctime: str  # ctime, `date`, Java's Date, Ruby, Apache: Sun Nov 29 10:00:00.123 UTC 2026
    script: str  # JavaScript, java.util.logging: Sun Nov 29 2026 10:00:00 GMT+0100; Nov 29, 2026 10:00:00 AM
    mail: str  # RFC 2822 and 850, Redis, PHP, Tomcat, Oracle
    common: str  # common log format, HAProxy: 29/Nov/2026:10:00:00 +0000
    syslog: str  # RFC 3164, without a year
    german: str  # 29.11.2026 10:00:00
    american: str  # 11/29/2026 10:00:00 AM


def forms(clock: str, zone: str) -> Forms:
    """Return the forms for a clock and a zone pattern."""
    return Forms(
        iso=rf"(?P<year>\d{{4}})(?P<sep>[-/.])(?P<month>\d\d)(?P=sep)(?P<day>\d\d)(?:[Tt_]|,?\s{{1,2}}){clock}{zone}",
        basic=r"(?P<year>(?:19|20)\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)[Tt -]?(?P<hour>\d\d):?(?P<minute>\d\d):?"
        rf"(?P<second>\d\d)(?:[.,]?(?P<fraction>\d{{1,9}}))?{zone}",
        ctime=rf"{_DAY_NAME} {_MON} +(?P<day>\d?\d),? {clock}{zone} (?P<year>\d{{4}})",
        script=rf"(?:{_DAY_NAME} )?{_MON} (?P<day>\d?\d),? (?P<year>\d{{4}}),? {clock}{zone}",
        mail=rf"(?:{_DAY_NAME} )?(?P<day>\d?\d)[- ]{_MON}[- ](?P<year>\d{{4}}|\d\d),?[ :T]{clock}{zone}",
        common=rf"(?P<day>\d?\d)/{_MON}/(?P<year>\d{{4}})[: ]{clock}{zone}",
        syslog=rf"{_MON} +(?P<day>\d?\d) {clock}{zone}",
        german=rf"(?P<day>\d?\d)\.(?P<month>\d?\d)\.(?P<year>\d{{4}}),? {clock}{zone}",
        american=rf"(?P<first>\d?\d)/(?P<other>\d?\d)/(?P<year>\d{{4}}),? {clock}{zone}",
    )


_OF_VALUES = forms(rf"(?P<hour>\d?\d):(?P<minute>\d\d)(?:{_SECONDS})?{_HALF}", _ZONE)
OF_LINES = forms(rf"(?P<hour>\d?\d):(?P<minute>\d\d){_SECONDS}(?!\d){_HALF}", _ZONE_IN_TEXT)
_MONOTONIC = r"(?:\sm=[+-]\d+(?:\.\d+)?)?"
_DOTNET = r"\\?/Date\((?P<millis>-?\d{1,15})(?:[+-]\d{4})?\)\\?/"  # its old JSON
_VALUES = tuple(
    re.compile(rf"[\[(*.\"']?{form}[\])\"':]?", re.ASCII)
    for form in (_OF_VALUES.iso + _MONOTONIC, *list(vars(_OF_VALUES).values())[1:], _DOTNET)
)
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,20})?(?:[eE]\+?\d{1,2})?", re.ASCII)
_CALENDAR = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d[0-2]\d[0-5]\d[0-5]\d(?:\d{3})?", re.ASCII)


class _Unreadable(ValueError):
    """An unknown zone."""


def moment(value: Any, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> dt.datetime | None:
    """Return a UTC time of text, a number since 1970, or an object (MongoDB, Google, Log4j, Monolog); else None.

    `now` decides the year where none is given: the latest not in the future.
    """
    if isinstance(value, str):
        return _of_text(value.strip()[:100], now)
    if isinstance(value, Mapping):
        return _of_object(value, now)
    if isinstance(value, list):
        return _of_parts(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e20:
        return None
    return from_number(str(value) if isinstance(value, int) else f"{value:.6f}")


def from_match(match: re.Match[str], now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Return a matched form's moment in UTC; `zone` applies without one. Raises ValueError."""
    said = match.groupdict()
    if said.get("millis"):
        return EPOCH + dt.timedelta(milliseconds=int(said["millis"]))
    day, month = _day_and_month(said)
    clock = (_hour(said), int(said["minute"]), min(int(said.get("second") or 0), 59))
    micro = int(f"{(said.get('fraction') or '0')[:6]:0<6}")
    where = _zone(said.get("offset") or said.get("short"), said.get("zone"), zone)
    if said.get("year"):
        year = int(said["year"]) + (2000 if len(said["year"]) == 2 else 0)
        found = dt.datetime(year, month, day, *clock, micro, tzinfo=where)
    else:
        found = _latest((month, day, *clock, micro), now, where)
    if said.get("second") == "60":  # a leap second
        found += dt.timedelta(seconds=1)
    return found.astimezone(dt.UTC)


def _of_text(value: str, now: Callable[[], dt.datetime]) -> dt.datetime | None:
    if len(value) >= 19 and value[4:5] == "-":
        try:
            found = dt.datetime.fromisoformat(value)  # by far the quickest and most usual
            found = found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
        except (ValueError, OverflowError):
            return _of_words(value, now)
        return found if found > EPOCH else None
    if _NUMBER.fullmatch(value) and not _CALENDAR.fullmatch(value):
        return from_number(f"{Decimal(value):f}")
    return _of_words(value, now)


def _of_words(value: str, now: Callable[[], dt.datetime]) -> dt.datetime | None:
    for pattern in _VALUES:
        if (match := pattern.fullmatch(value)) is not None:
            try:
                at = now() if not {"year", "millis"} & match.groupdict().keys() else EPOCH
                found = from_match(match, at, dt.UTC)
            except (ValueError, OverflowError):
                continue
            return found if found > EPOCH else None
    return None


def _of_object(value: Mapping[Any, Any], now: Callable[[], dt.datetime]) -> dt.datetime | None:
    for name in ("$date", "$numberLong", "timestamp", "date", "dateTime", "value", "repr"):
        if (inner := value.get(name)) is not None:
            inner = inner.get("$numberLong") if isinstance(inner, Mapping) else inner
            where = value.get("timezone") if name == "date" else None
            said = f"{inner} {where}" if isinstance(where, str) else inner
            return moment(said, now) if isinstance(said, (str, int, float)) else None
    seconds = next((value[name] for name in ("seconds", "epochSecond", "sec") if name in value), None)
    nanos = next((value[name] for name in ("nanos", "nanoOfSecond", "nsec", "nano") if name in value), 0)
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = int(seconds[:15])
    if type(seconds) is not int or type(nanos) is not int or not 0 < seconds <= _LATEST_SECONDS:
        return None
    return EPOCH + dt.timedelta(seconds=seconds, microseconds=max(0, min(nanos, 999_999_999)) // 1000)


def _of_parts(value: list[Any]) -> dt.datetime | None:
    if not 5 <= len(value) <= 7 or any(type(part) is not int for part in value):
        return None
    year, month, day, hour, minute, second, nanos = [*value, 0, 0][:7]
    try:
        found = dt.datetime(year, month, day, hour, minute, second, nanos // 1000, tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None
    return found if found > EPOCH else None


def _day_and_month(said: Mapping[str, str | None]) -> tuple[int, int]:
    if "first" in said:
        first, other = int(said["first"] or 0), int(said["other"] or 0)
        if first > 12 or first == other:
            return first, other
        if other > 12 or said["half"]:  # AM and PM mean that the month comes first
            return other, first
        raise _Unreadable("day and month cannot be told apart")
    month = str(said["month"])
    return int(said["day"] or 0), int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1


def _hour(said: Mapping[str, str | None]) -> int:
    hour, half = int(said["hour"] or 0), (said.get("half") or "").lower()
    return hour % 12 + (12 if half == "p" else 0) if half else hour


def _zone(offset: str | None, name: str | None, otherwise: dt.tzinfo) -> dt.tzinfo:
    if offset:
        digits = offset[1:].replace(":", "")
        length = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:4] or 0), seconds=int(digits[4:6] or 0))
        return dt.timezone(length if offset[0] == "+" else -length)
    return _named(name) if name else otherwise


@lru_cache(maxsize=256)
def _named(name: str) -> dt.tzinfo:
    if "/" in name:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise _Unreadable(f"{name} is no zone") from error
    if (hours := _HOURS.get(name.upper())) is None:
        raise _Unreadable(f"{name} is no zone")
    return dt.timezone(dt.timedelta(hours=hours)) if hours else dt.UTC


def _latest(parts: tuple[int, int, int, int, int, int], now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Return the moment in the latest year not in the future; 29 February may be years ago."""
    for year in range(now.year + 1, now.year - 5, -1):
        try:
            found = dt.datetime(year, *parts, tzinfo=zone)
        except ValueError:
            continue
        if found <= now + _FUTURE:
            return found
    raise ValueError("this date does not exist")
