"""Read the time that a log line begins with. Pure."""

import datetime as dt
import re

from logs.reading.times import OF_LINES, from_match

HEAD_LENGTH = 120

_ISO = re.compile(OF_LINES.iso, re.ASCII)
_COMMON = re.compile(rf"\[{OF_LINES.common}", re.ASCII)
_OTHERS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"\[?{OF_LINES.ctime}",
        OF_LINES.script,
        rf"(?:\d+:[A-Z] )?\[?{OF_LINES.mail}",  # Redis: process first
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
    """Return a line's first time in UTC, if any.

    `zone` is for times without one; a missing year is the latest possible.
    """
    match = _found(line)
    if match is None:
        return None
    try:
        return from_match(match, now, zone)
    except (ValueError, OverflowError):
        return None


def has_time(line: str) -> bool:
    """Return whether the line begins with a time."""
    return line[:1] not in (" ", "\t") and _found(line) is not None


def _found(line: str) -> re.Match[str] | None:
    for pattern in (_ISO, _COMMON):
        if match := pattern.search(line, 0, HEAD_LENGTH):
            return match
    return next((match for pattern in _OTHERS if (match := pattern.match(line))), None)
