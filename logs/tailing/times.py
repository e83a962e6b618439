"""The time that a line of a log begins with. Pure."""

import datetime as dt
import re
from collections.abc import Callable

HEAD_LENGTH = 120  # a time stands near the beginning of a line
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = "|".join(_MONTH_NAMES)
_FUTURE = dt.timedelta(days=1)

_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|[+-]\d\d:?\d\d)?(?![\d:])",
    re.ASCII,
)
# Apache's error log: [Sun Dec 04 04:47:44.123 2005]
_APACHE = re.compile(
    rf"\[?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ({_MONTH}) +(\d\d?) (\d\d):(\d\d):(\d\d)(?:\.(\d{{1,6}}))? (\d{{4}})",
    re.ASCII,
)
# The common log format: [10/Oct/2000:13:55:36 -0700]
_COMMON = re.compile(rf"\[(\d\d)/({_MONTH})/(\d{{4}}):(\d\d):(\d\d):(\d\d) ([+-]\d{{4}})\]", re.ASCII)
# RFC 3164, without a year: Dec 10 06:55:46
_SYSLOG = re.compile(rf"(?:<\d{{1,3}}>)?({_MONTH}) +(\d\d?) (\d\d):(\d\d):(\d\d)(?:\.(\d{{1,6}}))?(?!\d)", re.ASCII)
# glog and klog: E1121 09:30:00.123456
_GLOG = re.compile(r"[IWEF](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,6})", re.ASCII)
# Hadoop's file system: 081109 203615
_HDFS = re.compile(r"(\d\d)(\d\d)(\d\d) (\d\d)(\d\d)(\d\d) ", re.ASCII)

Groups = tuple[str, ...]


def time_in(line: str, now: dt.datetime, zone: dt.tzinfo = dt.UTC) -> dt.datetime | None:
    """The time near the line's beginning, in UTC; None where there is none, or none that any calendar has.

    `zone` is that of times that name none. A time without a year is of the latest year in which it is not yet to come.
    """
    for pattern, reader in _READERS:
        match = _found(pattern, line)
        if match is not None:
            try:
                return reader(match.groups(), now, zone).astimezone(dt.UTC)
            except (ValueError, OverflowError):
                return None
    return None


def has_time(line: str) -> bool:
    """Whether a time stands near the line's beginning."""
    return line[:1] not in (" ", "\t") and any(_found(pattern, line) for pattern, _reader in _READERS)


def _found(pattern: re.Pattern[str], line: str) -> re.Match[str] | None:
    """Times of the other kinds could stand for much else in the middle of a line."""
    return pattern.search(line, 0, HEAD_LENGTH) if pattern in (_ISO, _COMMON) else pattern.match(line)


def _iso(groups: Groups, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    *numbers, fraction, offset = groups
    year, month, day, hour, minute, second = map(int, numbers)
    return dt.datetime(year, month, day, hour, minute, second, _micro(fraction), _zone(offset, zone))


def _apache(groups: Groups, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    month, day, hour, minute, second, fraction, year = groups
    return dt.datetime(int(year), _month(month), int(day), int(hour), int(minute), int(second), _micro(fraction), zone)


def _common(groups: Groups, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    day, month, year, hour, minute, second, offset = groups
    return dt.datetime(int(year), _month(month), int(day), int(hour), int(minute), int(second), 0, _zone(offset, zone))


def _syslog(groups: Groups, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    month, day, hour, minute, second, fraction = groups
    return _latest((_month(month), int(day), int(hour), int(minute), int(second), _micro(fraction)), now, zone)


def _glog(groups: Groups, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    *numbers, fraction = groups
    month, day, hour, minute, second = map(int, numbers)
    return _latest((month, day, hour, minute, second, _micro(fraction)), now, zone)


def _hdfs(groups: Groups, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    year, month, day, hour, minute, second = map(int, groups)
    return dt.datetime(2000 + year, month, day, hour, minute, second, 0, zone)


_READERS: tuple[tuple[re.Pattern[str], Callable[[Groups, dt.datetime, dt.tzinfo], dt.datetime]], ...] = (
    *((_ISO, _iso), (_APACHE, _apache), (_COMMON, _common), (_SYSLOG, _syslog), (_GLOG, _glog), (_HDFS, _hdfs)),
)


def _latest(parts: tuple[int, int, int, int, int, int], now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The moment in the latest year in which it is not yet to come; the 29th of February may be four years ago."""
    for year in range(now.year + 1, now.year - 5, -1):
        try:
            found = dt.datetime(year, *parts, tzinfo=zone)
        except ValueError:
            continue
        if found <= now + _FUTURE:
            return found
    raise ValueError("no calendar has this day")


def _month(name: str) -> int:
    return _MONTH_NAMES.index(name) + 1


def _micro(fraction: str | None) -> int:
    return int(f"{(fraction or '0')[:6]:0<6}")


def _zone(offset: str | None, zone: dt.tzinfo) -> dt.tzinfo:
    if not offset:
        return zone
    if offset in ("Z", "UTC"):
        return dt.UTC
    digits = offset[1:].replace(":", "")
    length = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(length if offset[0] == "+" else -length)
