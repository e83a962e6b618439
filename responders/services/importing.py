"""Layers from calendars: fetched or uploaded, matched to people by address or name, the last good copy kept."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.leases import Lease
from core.db.transactions import is_database_unavailable, is_transient, unit_of_work
from core.errors import Conflict, DomainError
from core.outbound.client import Client, OutboundError
from core.text.languages import stored
from responders.ical.bounded import read_bounded
from responders.ical.reading import MAX_BYTES, ImportedEvent, Unreadable
from responders.models import ImportedCalendar, ImportedShift, Schedule
from responders.oncall import FeedShift
from responders.services.lineups import touch
from users.models import User

log = structlog.get_logger(__name__)

EVERY = dt.timedelta(minutes=15)
BEHIND, AHEAD = dt.timedelta(days=30), dt.timedelta(days=366)
BATCH = 10
# "On Call - Ana - Primary", "Ana on call: Primary"
PARTS = re.compile(r"\s-\s|:|\bon[ -]?call\b|[()\[\]]", re.IGNORECASE)
STORED = ["name", "url", "content", "error", "fetched_at", "checked_at", "next_fetch_at", "unmatched"]
lease = Lease("next_fetch_at", dt.timedelta(minutes=5))


@dataclass(frozen=True)
class People:
    """Active accounts by address and by name, in lower case; a name of two people is nobody's."""

    addresses: dict[str, int]
    names: dict[str, int | None]

    def of(self, event: ImportedEvent) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return whom an event names, and the names that fit nobody."""
        found = [(text, self.addresses.get(text.lower())) for text in event.attendees]
        if not any(user for _name, user in found):
            found = [(text, self._named(text)) for text in event.names] or found
        people = dict.fromkeys(user for _name, user in found if user)
        return tuple(people), tuple(dict.fromkeys(text[:100] for text, user in found if not user)) or (
            () if people else ("(no name)",)
        )

    def _named(self, text: str) -> int | None:
        for part in (text, *PARTS.split(text)):
            word = part.strip().lower()
            if user := self.addresses.get(word) or self.names.get(word):
                return user
        return None


@dataclass(frozen=True)
class Copy:
    """A calendar as it was read: before any transaction, since that takes long."""

    url: str
    text: str
    events: list[ImportedEvent]


def read_copy(schedule: Schedule, now: dt.datetime, *, url: str = "", content: bytes = b"") -> Copy:
    """Fetch and read a calendar. Raises DomainError."""
    calendar = ImportedCalendar(schedule=schedule, url=plain_address(url))
    return Copy(calendar.url, *_checked(calendar, content or _fetched(calendar), now))


def add_calendar(schedule: Schedule, copy: Copy, *, name: str, by: User | None, now: dt.datetime) -> ImportedCalendar:
    """Add a calendar that was read."""
    calendar = ImportedCalendar(schedule=schedule, name=name, url=copy.url, content=copy.text)
    if schedule.calendars.filter(name=name).exists():
        raise Conflict(
            _("%(schedule)s already has a calendar called %(name)s.") % {"schedule": schedule.name, "name": name},
            field="name",
            code="already_exists",
        )
    return _insert(calendar, copy.events, by, now)


def edit_calendar(
    calendar: ImportedCalendar, copy: Copy | None, *, name: str, by: User | None, now: dt.datetime
) -> ImportedCalendar:
    """Rename it, or have another copy take its place."""
    if calendar.schedule.calendars.filter(name=name).exclude(pk=calendar.pk).exists():
        raise Conflict(
            _("%(schedule)s already has a calendar called %(name)s.")
            % {"schedule": calendar.schedule.name, "name": name},
            field="name",
            code="already_exists",
        )
    calendar.name = name
    if copy is None:
        with acting(by):
            calendar.save(update_fields=["name"])
        return calendar
    calendar.url = copy.url
    with acting(by):
        _store(calendar, copy.text, copy.events, now)
    return calendar


@unit_of_work
def remove_calendar(calendar: ImportedCalendar, *, by: User | None, now: dt.datetime) -> None:
    """Delete a calendar that no layer reads, or ever read: the past is kept. Raises Conflict."""
    Schedule.objects.select_for_update().get(pk=calendar.schedule_id)
    line_ups = calendar.schedule.versions.values_list("layers", flat=True)
    if any(layer.get("calendar") == calendar.pk for layers in line_ups for layer in layers):
        raise Conflict(
            _("A layer of %(schedule)s is read from %(calendar)s.")
            % {"schedule": calendar.schedule.name, "calendar": calendar.name},
            code="in_use",
        )
    with acting(by):
        calendar.delete()


def fetch_due(now: dt.datetime) -> int:
    """Fetch calendars that are due; return how many."""
    due = ImportedCalendar.objects.filter(next_fetch_at__lte=now).order_by("next_fetch_at")[:BATCH]
    for key in (keys := lease.claim_many(due, now)):
        _refresh_alone(key, now)
    return len(keys)


def _refresh_alone(key: int, now: dt.datetime) -> None:
    """Fetch one; a faulty one must not have the others wait, but an unavailable database stops the job."""
    try:
        refresh(ImportedCalendar.objects.select_related("schedule").get(pk=key), now)
    except ImportedCalendar.DoesNotExist:
        return
    except Exception as error:
        if is_database_unavailable(error) or is_transient(error):
            raise
        log.error("calendar_not_read", calendar=key, exc_info=error)
        _note_failure(key, f"{type(error).__name__}; see the worker's log.", now)


def _note_failure(key: int, error: str, now: dt.datetime) -> None:
    values = {"checked_at": now, "error": error[:300], "next_fetch_at": now + EVERY}
    ImportedCalendar.objects.filter(pk=key).update(**values)


def refresh(calendar: ImportedCalendar, now: dt.datetime) -> None:
    """Fetch a calendar; if that fails, the last good copy stays and `error` says why."""
    try:
        with stored():
            text, events = _checked(calendar, _fetched(calendar), now)
    except DomainError as error:
        _note_failure(calendar.pk, error.message, now)
        return
    _store(calendar, text, events, now)


def plain_address(url: str) -> str:
    """Return the address by https that a subscription (webcal://) means. Raises DomainError for another kind."""
    url = re.sub(r"^webcals?://", "https://", url.strip(), flags=re.IGNORECASE)
    if url and not re.match(r"https?://[^\s/]+", url, re.IGNORECASE):
        raise DomainError(_("Give an address such as https://calendar.example/basic.ics."), field="url")
    return url


def fetch(url: str) -> bytes:
    """Return what an address answers. Raises DomainError."""
    try:
        answer = Client(total_seconds=15, max_bytes=MAX_BYTES).request("GET", url)
    except OutboundError as error:
        raise DomainError(
            _("The calendar cannot be fetched: %(error)s.") % {"error": error}, field="url", code="unreachable"
        ) from error
    if answer.status != 200:
        raise DomainError(
            _("The calendar's server answers %(status)s.") % {"status": answer.status}, field="url", code="unreachable"
        )
    return answer.content


def _fetched(calendar: ImportedCalendar) -> bytes:
    if not calendar.url:
        raise DomainError(_("Give an address, or upload a file."), field="url", code="required")
    return fetch(calendar.url)


def _checked(calendar: ImportedCalendar, content: bytes, now: dt.datetime) -> tuple[str, list[ImportedEvent]]:
    try:
        events = read_bounded(content, now - BEHIND, now + AHEAD, calendar.schedule.time_zone)
    except Unreadable as error:
        raise DomainError(str(error), field="url" if calendar.url else "file", code="unreadable") from error
    return content.decode("utf-8", "replace").replace("\0", ""), events


@unit_of_work
def _insert(
    calendar: ImportedCalendar, events: list[ImportedEvent], by: User | None, now: dt.datetime
) -> ImportedCalendar:
    with acting(by):
        calendar.save()
    _store(calendar, calendar.content, events, now)
    return calendar


@unit_of_work
def _store(calendar: ImportedCalendar, text: str, events: list[ImportedEvent], now: dt.datetime) -> None:
    Schedule.objects.select_for_update().get(pk=calendar.schedule_id)
    wanted = _matched(events)
    if _replace_shifts(calendar, wanted, now):
        touch(calendar.schedule, now)
    calendar.content, calendar.error = text, ""
    calendar.fetched_at = calendar.checked_at = now
    calendar.next_fetch_at = now + EVERY if calendar.url else None
    calendar.unmatched = sorted({name for shift in wanted for name in shift.unmatched})[:100]
    calendar.save(update_fields=STORED)


def _matched(events: Iterable[ImportedEvent]) -> list[FeedShift]:
    people = _people()
    return [
        FeedShift(
            dt.datetime.fromisoformat(event.starts_at), dt.datetime.fromisoformat(event.ends_at), *people.of(event)
        )
        for event in events
    ]


def _people() -> People:
    addresses: dict[str, int] = {}
    names: dict[str, int | None] = {}
    for key, email, name in User.objects.can_respond().order_by("pk").values_list("pk", "email", "name"):
        addresses[email.lower()] = key
        names[name.lower()] = None if name.lower() in names else key
    return People(addresses, names)


def _replace_shifts(calendar: ImportedCalendar, wanted: list[FeedShift], now: dt.datetime) -> bool:
    """Write what is new from now on; what has passed stays, and what runs is cut where it changed."""
    known = {row.pk: _as_shift(row) for row in calendar.shifts.all()}
    present = {shift for shift in known.values() if shift.ends_at > now}
    new = set(wanted) if not known else {shift for shift in wanted if shift.ends_at > now}
    if present == {shift for shift in new if shift.ends_at > now}:
        return False
    for key, shift in known.items():
        if shift.ends_at > now and shift not in new:
            row = calendar.shifts.filter(pk=key)
            row.update(ends_at=now) if shift.starts_at < now else row.delete()
    fresh = new - set(known.values())
    cut = [shift._replace(starts_at=max(shift.starts_at, now)) if known else shift for shift in fresh]
    ImportedShift.objects.bulk_create(
        ImportedShift(
            calendar=calendar,
            schedule_id=calendar.schedule_id,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            users=list(shift.people),
            unmatched=list(shift.unmatched),
        )
        for shift in sorted(cut)
    )
    return True


def _as_shift(row: ImportedShift) -> FeedShift:
    return FeedShift(row.starts_at, row.ends_at, tuple(row.users), tuple(row.unmatched))
