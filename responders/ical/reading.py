"""Read calendars that others wrote. Runs in a process of its own (see `bounded`): recurrences can be hostile."""

import datetime as dt
import json
import re
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
import x_wr_timezone
from icalendar import Calendar

MAX_BYTES = 1024 * 1024
MAX_EVENTS = 5_000
MAX_OCCURRENCES = 20_000
# Of each of the occurrences: the rows are read whenever somebody asks who is on call.
MAX_PEOPLE, MAX_ADDRESS, MAX_SUMMARY = 50, 320, 2_000
SECONDS, MEMORY = 5, 1024**3
PERIODS = {"HOURLY": 3600, "DAILY": 86_400, "WEEKLY": 7 * 86_400, "MONTHLY": 28 * 86_400, "YEARLY": 365 * 86_400}
PAGE = re.compile(r"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
LISTED = re.compile(r"[,;&]|\s+and\s+", re.IGNORECASE)


class Unreadable(ValueError):
    """No calendar, or one that is refused; the message says why."""


@dataclass(frozen=True)
class ImportedEvent:
    """An event in UTC (ISO 8601), with the addresses of its attendees and the names in its summary."""

    starts_at: str
    ends_at: str
    attendees: tuple[str, ...]
    names: tuple[str, ...]


def read_calendar(content: bytes, start: dt.datetime, end: dt.datetime, time_zone: str) -> list[ImportedEvent]:
    """Return the events between two instants; floating times and dates are of `time_zone`. Raises Unreadable."""
    calendar = _parsed(_text_of(content))
    default = str(calendar.get("X-WR-TIMEZONE", "")) or time_zone
    zone = _zone_or(default, time_zone)
    try:
        calendar = x_wr_timezone.to_standard(calendar)
    except (ValueError, KeyError):
        pass  # an unknown name: the schedule's zone then
    _refuse_hostile(calendar, end)
    _settle_duplicates(calendar)
    _settle_ends(calendar, zone)
    try:
        found = recurring_ical_events.of(calendar, skip_bad_series=True).between(start, end)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise Unreadable(f"Its events cannot be understood: {str(error)[:100]}") from error
    if len(found) > MAX_OCCURRENCES:
        raise Unreadable(f"It has more than {MAX_OCCURRENCES:,} events in the time needed.")
    return sorted(_events(found, zone), key=lambda event: (event.starts_at, event.ends_at))


def _text_of(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise Unreadable(f"It is larger than {MAX_BYTES // 1024:,} KB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if PAGE.match(text):
        raise Unreadable("There is a web page in place of a calendar; use the secret address in iCal format.")
    if "BEGIN:VCALENDAR" not in text.upper():
        raise Unreadable("This is not a calendar in iCal format.")
    return text


def _parsed(text: str) -> Any:
    try:
        found = Calendar.from_ical(text, multiple=True)
    except (ValueError, IndexError, KeyError) as error:
        raise Unreadable(f"The calendar is damaged: {str(error)[:100]}") from error
    if not found:
        raise Unreadable("The calendar is damaged: it does not end.")
    calendar: Any = found[0]
    for other in found[1:]:
        for component in other.subcomponents:
            calendar.add_component(component)
    return calendar


def _zone_or(name: str, fallback: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return ZoneInfo(fallback)


def _refuse_hostile(calendar: Any, end: dt.datetime) -> None:
    events = calendar.walk("VEVENT")
    if len(events) > MAX_EVENTS:
        raise Unreadable(f"It has more than {MAX_EVENTS:,} events.")
    for event in events:
        rules = event.get("RRULE")
        for rule in rules if isinstance(rules, list) else [rules] if rules else []:
            frequency = str(rule.get("FREQ", [""])[0]).upper()
            begins = _moment(event["DTSTART"].dt, ZoneInfo("UTC")) if "DTSTART" in event else end
            per_period = 1
            for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
                per_period *= max(1, len(rule.get(part, ())))
            period = PERIODS.get(frequency, 0)
            if not period or (end - begins).total_seconds() / period * per_period > MAX_OCCURRENCES:
                raise Unreadable(f"An event repeats too often (FREQ={frequency[:20]}).")


def _settle_duplicates(calendar: Any) -> None:
    """Of events with one UID keep the newest revision; those of one revision are different events."""
    newest: dict[str, Any] = {}
    for number, event in enumerate(calendar.walk("VEVENT")):
        if "RECURRENCE-ID" in event:
            continue
        uid = str(event.get("UID", f"none-{number}"))
        other = newest.get(uid)
        if other is None:
            newest[uid] = event
        elif _revision(event) == _revision(other):
            event["UID"] = f"{uid}-{number}"
        else:
            older, newest[uid] = sorted((other, event), key=_revision)
            calendar.subcomponents.remove(older)


def _settle_ends(calendar: Any, zone: ZoneInfo) -> None:
    """Let a rule that ends on a date include that day."""
    for event in calendar.walk("VEVENT"):
        rule, start = event.get("RRULE"), event["DTSTART"].dt if "DTSTART" in event else None
        if rule is None or isinstance(rule, list) or not isinstance(start, dt.datetime):
            continue
        until = rule.get("UNTIL", [None])[0]
        if until is not None and not isinstance(until, dt.datetime):
            last = dt.datetime.combine(until, dt.time.max.replace(microsecond=0), start.tzinfo or zone)
            rule["UNTIL"] = [last.astimezone(dt.UTC)]


def _revision(event: Any) -> int:
    try:
        return int(event.get("SEQUENCE", 0))
    except ValueError:
        return 0


def _events(found: list[Any], zone: ZoneInfo) -> Iterator[ImportedEvent]:
    for event in found:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        starts_at, ends_at = _moment(event["DTSTART"].dt, zone), _end_of(event, zone)
        if ends_at > starts_at:
            attendees = tuple(islice(_addresses(event), MAX_PEOPLE))
            summary = str(event.get("SUMMARY", ""))[:MAX_SUMMARY]
            names = tuple(part for part in map(str.strip, LISTED.split(summary)) if part)
            yield ImportedEvent(starts_at.isoformat(), ends_at.isoformat(), attendees, names[:MAX_PEOPLE])


def _end_of(event: Any, zone: ZoneInfo) -> dt.datetime:
    start = event["DTSTART"].dt
    if "DTEND" in event:
        return _moment(event["DTEND"].dt, zone)
    if "DURATION" in event:
        length: dt.timedelta = event["DURATION"].dt
        return _moment(start, zone) + length
    return _moment(start + dt.timedelta(days=not isinstance(start, dt.datetime)), zone)


def _moment(value: Any, zone: ZoneInfo) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time.min)
    moment: dt.datetime = value if value.tzinfo else value.replace(tzinfo=zone)
    return moment.astimezone(dt.UTC)


def _addresses(event: Any) -> Iterator[str]:
    attendees = event.get("ATTENDEE", [])
    for one in attendees if isinstance(attendees, list) else [attendees]:
        is_out = str(getattr(one, "params", {}).get("PARTSTAT", "")).upper() == "DECLINED"
        address = re.sub(r"^mailto:", "", str(one).strip(), flags=re.IGNORECASE)
        if address and not is_out:
            yield address[:MAX_ADDRESS]


def main() -> None:
    """Read a request from standard input, and write events or the reason to standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    header, _, content = sys.stdin.buffer.read().partition(b"\n")
    asked = json.loads(header)
    start, end = dt.datetime.fromisoformat(asked["start"]), dt.datetime.fromisoformat(asked["end"])
    try:
        found = read_calendar(content, start, end, asked["time_zone"])
        answer: dict[str, Any] = {"events": [asdict(event) for event in found]}
    except Unreadable as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
