"""Publish the public edition of a review: text of its own, never made from the internal one."""

from django.utils import timezone
from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError
from incidents.models import Origin
from reviews.models import Review
from reviews.services import reviewing
from reviews.vocabulary import ReviewEventKind
from status_page.models import PublicIncident
from status_page.models.announcements import PublicIncidentQuerySet
from status_page.services import publishing
from status_page.vocabulary import Kind
from users.models import User


@unit_of_work
def publish_edition(review: Review, *, by: User, origin: str = Origin.API) -> Review:
    """Show the public edition with the incident's announcement on the status page; again, to replace its text.

    Raises NotFound, PermissionRefused, Conflict where the incident was not announced, DomainError without a text.
    """
    review, incident = reviewing.lock_with_incident(review.pk, by=by)
    if not review.public_text:
        raise DomainError(_("Write the public edition first."), field="public_text", code="required")
    announcement = _announcement(review)
    for other in announcements_of(review).exclude(pk=announcement.pk).exclude(review_published_at=None):
        publishing.withdraw_review(other, by=by)
    publishing.publish_review(
        announcement,
        by=by,
        text=edition(review.public_title, review.public_text),
        translations={code: {"review": text} for code, text in _translations(review).items()},
    )
    review.published_at = timezone.now()
    reviewing.save(review, ("published_at",), by=by)
    reviewing.note(incident, review, ReviewEventKind.REVIEW_PUBLISHED, by=by, origin=origin)
    return review


@unit_of_work
def withdraw_edition(review: Review, *, by: User, origin: str = Origin.API) -> Review:
    """Remove the public edition from the status page; its text stays with the review. Raises as `publish_edition`."""
    review, incident = reviewing.lock_with_incident(review.pk, by=by)
    if review.published_at is None:
        raise Conflict(_("The public edition is not on the status page."), code="not_published")
    for announcement in announcements_of(review).exclude(review_published_at=None):
        publishing.withdraw_review(announcement, by=by)
    review.published_at = None
    reviewing.save(review, ("published_at",), by=by)
    reviewing.note(incident, review, ReviewEventKind.REVIEW_WITHDRAWN, by=by, origin=origin)
    return review


def edition(title: str, text: str) -> str:
    """Return title and text as the status page shows them, in Markdown."""
    return f"## {title}\n\n{text}" if title else text


def _translations(review: Review) -> dict[str, str]:
    texts = review.public_translations.items()
    return {code: edition(one.get("title", ""), one["text"]) for code, one in texts if one.get("text")}


def announcements_of(review: Review) -> PublicIncidentQuerySet:
    """Select what the public was told of the review's incident, the newest first."""
    return PublicIncident.objects.filter(incident=review.incident_id, kind=Kind.INCIDENT).order_by("-starts_at", "-pk")


def _announcement(review: Review) -> PublicIncident:
    found = announcements_of(review).first()
    if found is None:
        raise Conflict(
            _("The incident was not announced on the status page; publish it there first."), code="not_announced"
        )
    return found
