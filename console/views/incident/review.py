"""What the page of an incident says about its review."""

import datetime as dt
from typing import Any

from django.utils import timezone

from incidents.models import Incident
from incidents.permissions import can_work_on
from reviews.models import ActionItem, Review
from reviews.vocabulary import ReviewState
from users.models import User


def card_of(incident: Incident, viewer: User) -> dict[str, Any]:
    """Return the review with its open action items, or whether the viewer may start one."""
    review = Review.objects.filter(incident=incident).select_related("owner").first()
    if review is None:
        return {"review": None, "may_start_review": can_work_on(viewer, incident.team_id)}
    open_items = ActionItem.objects.filter(review=review).unfinished().count()
    return {"review": review, "review_items": open_items, "review_is_late": is_late(review, timezone.now())}


def is_late(review: Review, now: dt.datetime) -> bool:
    return review.state != ReviewState.COMPLETED and review.due_at is not None and review.due_at < now
