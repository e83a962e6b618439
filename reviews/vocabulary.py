"""The words of reviews."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ReviewState(models.TextChoices):
    """How far a review got."""

    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    COMPLETED = "completed", pgettext_lazy("review", "Completed")


UNFINISHED_REVIEWS = (ReviewState.DRAFT, ReviewState.IN_REVIEW)

# From where a review moves to where; from completed, it is reopened.
MOVES = {
    ReviewState.DRAFT: (ReviewState.IN_REVIEW,),
    ReviewState.IN_REVIEW: (ReviewState.DRAFT, ReviewState.COMPLETED),
    ReviewState.COMPLETED: (ReviewState.DRAFT,),
}


class Part(models.TextChoices):
    """What somebody did for a review."""

    INVOLVED = "involved", _("Involved")
    INTERVIEWED = "interviewed", _("Interviewed")
    REVIEWER = "reviewer", _("Reviewer")


class ItemState(models.TextChoices):
    """How far an action item got."""

    OPEN = "open", pgettext_lazy("action item", "Open")
    IN_PROGRESS = "in_progress", pgettext_lazy("action item", "In progress")
    DONE = "done", pgettext_lazy("action item", "Done")
    DROPPED = "dropped", pgettext_lazy("action item", "Dropped")


UNFINISHED = (ItemState.OPEN, ItemState.IN_PROGRESS)


class ReviewEventKind(models.TextChoices):
    """A review's events on the incident's timeline."""

    REVIEW_STARTED = "review_started", _("Review started")
    REVIEW_COMPLETED = "review_completed", _("Review completed")
    REVIEW_REOPENED = "review_reopened", _("Review reopened")
    REVIEW_PUBLISHED = "review_published", _("Review published")
    REVIEW_WITHDRAWN = "review_withdrawn", _("Review withdrawn from the status page")
