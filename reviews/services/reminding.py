"""Remind of reviews and action items that are due: one notice for each reminder, by any number of workers."""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.db import rows
from core.db.rows import lock_available
from core.db.transactions import unit_of_work
from core.text import moments
from core.text.languages import later
from core.text.sentences import Sentence
from core.text.zones import zone_named
from incidents.models import Incident
from responders.notices import Notice, announce
from reviews.models import ActionItem, OverdueReport, Review
from reviews.permissions import can_read
from reviews.reminding import latest_monday
from reviews.services import reviewing
from reviews.services.items import reminder_of
from reviews.vocabulary import UNFINISHED, ReviewState
from users.models import User

BATCH = 100
MAX_TITLE = 200
LATE = dt.timedelta(days=1)  # a report that was missed is not sent the day after
NOBODY = Sentence("Nobody owns it.")
CANNOT = Sentence("%(name)s can no longer answer for it.")
REPORT_PATH = "/reviews/action-items/?overdue=true"


@unit_of_work
def remind_of_reviews(now: dt.datetime) -> int:
    """Remind of reviews whose time has come; return how many were looked at."""
    due = lock_available(Review.objects.filter(remind_at__lte=now).order_by("remind_at", "pk"))
    found = list(due[:BATCH])
    incidents = _incidents_of(found)
    for review in found:
        incident = incidents[review.incident_id]
        if incident.deleted_at is None and review.state != ReviewState.COMPLETED:
            _remind_of_review(review, incident, now)
        reviewing.set_reminder(review, now)
    rows.update_many(found, ["remind_at"])
    return len(found)


def _remind_of_review(review: Review, incident: Incident, now: dt.datetime) -> None:
    people = readers(incident, [review.owner])
    zone = zone_named(people[0].time_zone if len(people) == 1 else "UTC")
    assert review.due_at is not None and review.remind_at is not None  # noqa: S101 (for the type checker)
    write = partial(_title_of_review, incident.reference, review.due_at, zone, is_late=review.due_at < now)
    announce(
        Notice(
            key=f"review-due:{review.pk}:{review.remind_at.timestamp():.0f}",
            kind="review",
            title=later(write),
            body="" if review.owner_id else NOBODY.say(),
            users=[person.pk for person in people],
            incident=incident.pk,
            path=f"/reviews/{review.pk}/",
        )
    )


def _title_of_review(reference: str, due_at: dt.datetime, zone: ZoneInfo, *, is_late: bool) -> str:
    words = {"incident": reference, "day": moments.shown_in(due_at, zone, "date")}
    if is_late:
        return _("The review of %(incident)s was due on %(day)s") % words
    return _("The review of %(incident)s is due on %(day)s") % words


@unit_of_work
def remind(now: dt.datetime) -> int:
    """Remind of action items whose time has come; return how many were looked at."""
    due = lock_available(ActionItem.objects.filter(remind_at__lte=now).order_by("remind_at", "pk"))
    found = list(due[:BATCH])
    reviews = rows.by_id(Review, [item.review_id for item in found])
    incidents = _incidents_of(reviews.values())
    for item in found:
        review = reviews[item.review_id]
        incident = incidents[review.incident_id]
        if incident.deleted_at is None and item.state in UNFINISHED:
            _remind_of_item(item, review, incident, now)
            item.reminded_at = now
        item.remind_at = reminder_of(item, review, now)
    rows.update_many(found, ["remind_at", "reminded_at"])
    return len(found)


def _remind_of_item(item: ActionItem, review: Review, incident: Incident, now: dt.datetime) -> None:
    people = readers(incident, [item.owner, review.owner])
    zone = zone_named(people[0].time_zone if len(people) == 1 else "UTC")
    assert item.due_on is not None and item.remind_at is not None  # noqa: S101 (for the type checker)
    is_late = item.due_on < now.astimezone(zone).date()
    announce(
        Notice(
            key=f"action-item-due:{item.pk}:{item.remind_at.timestamp():.0f}",
            kind="action_item",
            title=later(partial(_title_of_item, item.title, item.due_on, is_late=is_late)),
            body=_why_not_owner(item, people),
            users=[person.pk for person in people],
            incident=incident.pk,
            path=f"/reviews/{review.pk}/",
        )
    )


def _title_of_item(title: str, due_on: dt.date, *, is_late: bool) -> str:
    words = {"day": moments.shown(due_on, "date"), "title": title}
    if is_late:
        return (_("An action item was due on %(day)s: %(title)s") % words)[:MAX_TITLE]
    return (_("An action item is due on %(day)s: %(title)s") % words)[:MAX_TITLE]


def _why_not_owner(item: ActionItem, people: Sequence[User]) -> str:
    if item.owner is None:
        return NOBODY.say()
    return "" if item.owner in people else CANNOT.say(name=item.owner.name)


def readers(incident: Incident, owners: Iterable[User | None]) -> list[User]:
    """Return the first of the owners who is active and sees the incident, else the administrators."""
    for owner in owners:
        if owner is not None and owner.is_staff and can_read(owner, incident):
            return [owner]
    return list(User.objects.admins().order_by("pk"))


@unit_of_work
def report_overdue(now: dt.datetime) -> int:
    """Tell the administrators once each Monday how many action items are overdue; return how many, or 0 if told."""
    monday = latest_monday(now, zone_named(timezone.get_default_timezone_name()))
    if now - monday > LATE or OverdueReport.objects.filter(monday=monday.date()).exists():
        return 0
    number = ActionItem.objects.filter(review__incident__deleted_at=None).overdue(monday.date()).count()
    if not number:
        return 0
    report, is_new = OverdueReport.objects.get_or_create(monday=monday.date(), defaults={"number": number})
    if is_new:
        admins = list(User.objects.admins().values_list("pk", flat=True))
        key = f"overdue-action-items:{report.monday:%Y-%m-%d}"
        title = later(partial(_title_of_report, number))
        announce(Notice(key=key, kind="action_item", title=title, users=admins, path=REPORT_PATH))
    return number if is_new else 0


def _title_of_report(number: int) -> str:
    title = ngettext("%(number)s action item is overdue", "%(number)s action items are overdue", number)
    return title % {"number": number}


def _incidents_of(reviews: Iterable[Review]) -> dict[int, Incident]:
    return rows.by_id(Incident, [review.incident_id for review in reviews])
