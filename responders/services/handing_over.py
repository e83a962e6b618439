"""Hand-over notes: written by who leaves, read by who comes."""

import datetime as dt
from collections.abc import Collection

from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import DomainError, NotFound, PermissionRefused
from core.text.sentences import Sentence
from responders import oncall
from responders.models import HandoverNote, Schedule
from responders.notices import Notice, announce
from responders.permissions import may_cover
from responders.services.oncall import AROUND, load
from users.models import User

LATE = dt.timedelta(days=1)  # a note may follow the hand-over
MOST_SHOWN = 50

LEFT = Sentence("%(name)s left a hand-over note for %(schedule)s")


@unit_of_work
def write_note(
    schedule: Schedule, *, text: str, by: User, now: dt.datetime, hand_over_at: dt.datetime | None = None
) -> HandoverNote:
    """Leave a note for a hand-over, by default the next one, and tell those who come. Raises PermissionRefused."""
    spec = load([schedule.pk], now - AROUND, now + AROUND)[schedule.pk].spec
    if by.pk not in oncall.people_at(spec, now).people and not may_cover(by, schedule):
        raise PermissionRefused(_("Only who is on call, the schedule's team and administrators leave notes."))
    at = hand_over_at or next_hand_over(spec, now)
    _refuse_wrong(text, at, now)
    with acting(by):
        note = HandoverNote.objects.create(schedule=schedule, hand_over_at=at, author=by, text=text.strip())
    readers = sorted(set(oncall.people_at(spec, at).people) - {by.pk})
    if readers:
        title = LEFT.say(name=by.name, schedule=schedule.name)
        path = f"/on-call/{schedule.pk}/"
        announce(Notice(key=f"handover:{note.pk}", kind="handover", title=title, users=readers, path=path))
    return note


@unit_of_work
def edit_note(note: HandoverNote, *, text: str, by: User, now: dt.datetime) -> HandoverNote:
    """Change a note's text. Raises PermissionRefused unless one wrote it or is an administrator."""
    note = _own(note, by)
    _refuse_wrong(text, note.hand_over_at, note.hand_over_at)
    note.text, note.edited_at = text.strip(), now
    with acting(by):
        note.save(update_fields=["text", "edited_at"])
    return note


@unit_of_work
def remove_note(note: HandoverNote, *, by: User) -> None:
    """Delete a note. Raises as `edit_note` does."""
    note = _own(note, by)
    with acting(by):
        note.delete()


def next_hand_over(spec: oncall.ScheduleSpec, now: dt.datetime) -> dt.datetime:
    """Return when other people take over; now if that is not in sight."""
    following = oncall.next_people(spec, oncall.people_at(spec, now))
    return following.since if following is not None else now


def notes_between(schedule_ids: Collection[int], start: dt.datetime, end: dt.datetime) -> list[HandoverNote]:
    """Return the notes of hand-overs within a time, the latest first."""
    rows = HandoverNote.objects.filter(schedule__in=schedule_ids, hand_over_at__gte=start, hand_over_at__lt=end)
    return list(rows.select_related("author").order_by("-hand_over_at", "-pk")[:MOST_SHOWN])


def _own(note: HandoverNote, by: User) -> HandoverNote:
    current = HandoverNote.objects.select_for_update().filter(pk=note.pk).first()
    if current is None:
        raise NotFound(_("This note was deleted."))
    if current.author_id != by.pk and not by.is_admin:
        raise PermissionRefused(_("Only its author and administrators can change a note."))
    return current


def _refuse_wrong(text: str, at: dt.datetime, now: dt.datetime) -> None:
    if not text.strip():
        raise DomainError(_("Write what whoever comes should know."), field="text")
    if not now - LATE <= at <= now + AROUND:
        raise DomainError(_("A note is for a hand-over of the last day or the next five weeks."), field="hand_over_at")
