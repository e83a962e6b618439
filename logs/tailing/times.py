"""The time that a line of a log begins with. Pure."""

import datetime as dt
import re

from logs.reading.times import OF_LINES, from_match

HEAD_LENGTH = 120  # a time stands near the beginning of a line

_ISO = re.compile(OF_LINES.iso, re.ASCII)
_COMMON = re.compile(rf"\[{OF_LINES.common}", re.ASCII)
_OTHERS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"\[?{OF_LINES.ctime}",
        OF_LINES.script,
        rf"(?:\d+:[A-Z] )?\[?{OF_LINES.mail}",  # Redis says first which process it is
        rf"(?:<\d{{1,3}}>)?[*.]?{OF_LINES.syslog}(?! \d{{4}}\b)",
        OF_LINES.basic,
        OF_LINES.german,
        OF_LINES.american,
        # glog and klog: E1121 09:30:00.123456
        r"[IWEF](?P<month>\d\d)(?P<day>\d\d) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)\.(?P<fraction>\d{1,6})",
        # Hadoop's file system: 081109 203615; MySQL before 5.7: 081109  9:06:15
        r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) {1,2}(?P<hour>\d?\d):?(?P<minute>\d\d):?(?P<second>\d\d) ",
    )
)


def time_in(line: str, now: dt.datetime, zone: dt.tzinfo = dt.UTC) -> dt.datetime | None:
    """The time near the line's beginning, in UTC; None where there is none, or none that any calendar has.

    `zone` is that of times that name none. A time without a year is of the latest year in which it is not yet to come.
    """
    match = _found(line)
    if match is None:
        return None
    try:
        return from_match(match, now, zone)
    except (ValueError, OverflowError):
        return None


def has_time(line: str) -> bool:
    """Whether a time stands near the line's beginning."""
    return line[:1] not in (" ", "\t") and _found(line) is not None


def _found(line: str) -> re.Match[str] | None:
    """Times of the other kinds could stand for much else in the middle of a line."""
    for pattern in (_ISO, _COMMON):
        if match := pattern.search(line, 0, HEAD_LENGTH):
            return match
    return next((match for pattern in _OTHERS if (match := pattern.match(line))), None)
