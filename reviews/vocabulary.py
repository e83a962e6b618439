"""The words of reviews."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReviewState(models.TextChoices):
    """How far a review got."""

    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    COMPLETED = "completed", _("Completed")


class Part(models.TextChoices):
    """What somebody did for a review."""

    INVOLVED = "involved", _("Involved")
    INTERVIEWED = "interviewed", _("Interviewed")
    REVIEWER = "reviewer", _("Reviewer")


class ItemState(models.TextChoices):
    """How far an action item got."""

    OPEN = "open", _("Open")
    IN_PROGRESS = "in_progress", _("In progress")
    DONE = "done", _("Done")
    DROPPED = "dropped", _("Dropped")


UNFINISHED = (ItemState.OPEN, ItemState.IN_PROGRESS)
