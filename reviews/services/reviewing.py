"""Lock, check and save reviews: what every service of them begins and ends with."""

import datetime as dt
from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext as _

from core.actor import acting
from core.errors import Conflict
from incidents.actors import By
from incidents.models import Incident, Origin, Visibility
from incidents.services.recording import ChangeContext, IncidentChange
from incidents.services.recording import lock as lock_incident
from reviews.models import Review
from reviews.permissions import absent, require_edit
from reviews.reminding import next_of_review
from reviews.vocabulary import ReviewEventKind, ReviewState
from users.models import User


class ChangedMeanwhile(Conflict):
    """Somebody else saved the review since it was read."""

    code = "stale_version"


def lock(number: int, *, by: User | None, expected_version: int | None = None) -> Review:
    """Return a review, locked, that `by` may change. Raises NotFound, PermissionRefused, ChangedMeanwhile."""
    review = Review.objects.select_for_update().filter(pk=number).first()
    if review is None:
        raise absent()
    if by is not None:
        require_edit(by, review)
    if expected_version is not None and review.version != expected_version:
        raise ChangedMeanwhile(
            _("Somebody else changed this review; reload it and repeat your change."), version=review.version
        )
    return review


def lock_with_incident(number: int, *, by: User, expected_version: int | None = None) -> tuple[Review, Incident]:
    """Lock the incident, then its review: the order of whatever writes to the timeline."""
    found = Review.objects.filter(pk=number).select_related("incident").first()
    if found is None:
        raise absent()
    incident = lock_incident(found.incident)
    review = lock(number, by=by, expected_version=expected_version)
    return review, incident


def lock_open(number: int, *, by: User, expected_version: int | None = None) -> Review:
    """Lock a review whose contents `by` may change. Raises Conflict for a completed one."""
    review = lock(number, by=by, expected_version=expected_version)
    require_open(review)
    return review


def require_open(review: Review) -> None:
    if review.state == ReviewState.COMPLETED:
        raise Conflict(_("The review is completed; reopen it to change it."), code="review_completed")


def save(review: Review, names: Iterable[str], *, by: User | None, now: dt.datetime | None = None) -> Review:
    """Write fields of a locked review, and that it changed."""
    review.version += 1
    review.updated_at = now or timezone.now()
    with acting(by):
        review.save(update_fields=[*names, "version", "updated_at"])
    return review


def set_reminder(review: Review, now: dt.datetime) -> None:
    """Set when the review's owner is reminded next."""
    is_due = review.due_at is not None and review.state != ReviewState.COMPLETED
    review.remind_at = next_of_review(review.due_at, now) if is_due and review.due_at else None


def note(incident: Incident, review: Review, kind: ReviewEventKind, *, by: By, origin: str = Origin.API) -> None:
    """Add an internal event to the locked incident's timeline."""
    change = IncidentChange(incident, ChangeContext.now(by, origin))
    change.add_event(kind, visibility=Visibility.INTERNAL, data={"review": review.pk})
    change.save()
