"""Remind of reviews and action items that are due: one notice for each reminder, by any number of workers."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.utils import timezone

from core.db import rows
from core.db.rows import lock_available
from core.db.transactions import unit_of_work
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
LATE = dt.timedelta(days=1)  # a report that was missed is not sent the day after
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
    day = f"{review.due_at.astimezone(zone):%Y-%m-%d}"
    is_late = review.due_at < now
    announce(
        Notice(
            key=f"review-due:{review.pk}:{review.remind_at.timestamp():.0f}",
            kind="review",
            title=f"The review of {incident.reference} {'was' if is_late else 'is'} due on {day}",
            body="" if review.owner_id else "Nobody owns it.",
            users=[person.pk for person in people],
            incident=incident.pk,
            path=f"/reviews/{review.pk}/",
        )
    )


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
    verb = "was" if item.due_on < now.astimezone(zone).date() else "is"
    announce(
        Notice(
            key=f"action-item-due:{item.pk}:{item.remind_at.timestamp():.0f}",
            kind="action_item",
            title=f"An action item {verb} due on {item.due_on:%Y-%m-%d}: {item.title}"[:200],
            body=_why_not_owner(item, people),
            users=[person.pk for person in people],
            incident=incident.pk,
            path=f"/reviews/{review.pk}/",
        )
    )


def _why_not_owner(item: ActionItem, people: Sequence[User]) -> str:
    if item.owner is None:
        return "Nobody owns it."
    return "" if item.owner in people else f"{item.owner.name} can no longer answer for it."


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
        noun = "action item is" if number == 1 else "action items are"
        admins = list(User.objects.admins().values_list("pk", flat=True))
        key = f"overdue-action-items:{report.monday:%Y-%m-%d}"
        title = f"{number} {noun} overdue"
        announce(Notice(key=key, kind="action_item", title=title, users=admins, path=REPORT_PATH))
    return number if is_new else 0


def _incidents_of(reviews: Iterable[Review]) -> dict[int, Incident]:
    return rows.by_id(Incident, [review.incident_id for review in reviews])
