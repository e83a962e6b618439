"""What is to be done after a review."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from reviews.models.review import Review
from reviews.vocabulary import UNFINISHED, ItemState
from users.models import User


class ActionItemQuerySet(models.QuerySet["ActionItem"]):
    def visible_to(self, user: User) -> "ActionItemQuerySet":
        """Select those of reviews that the person sees."""
        return self.filter(Exists(Review.objects.visible_to(user).order_by().filter(pk=OuterRef("review"))))

    def unfinished(self) -> "ActionItemQuerySet":
        return self.filter(state__in=UNFINISHED)

    def overdue(self, today: dt.date) -> "ActionItemQuerySet":
        """Select unfinished ones that were due before today."""
        return self.unfinished().filter(due_on__lt=today)


class ActionItem(models.Model):
    """Something to do, by whom and until when; `remind_at` is when its owner is reminded next, NULL if not."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="action_items")
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), max_length=10_000, blank=True, default="")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="action_items",
        verbose_name=_("owner"),
    )
    due_on = models.DateField(_("due on"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=ItemState.choices, default=ItemState.OPEN)
    url = models.URLField(_("ticket"), max_length=500, blank=True, default="", help_text=_("In your tracker."))
    remind_at = models.DateTimeField(null=True, db_index=True, editable=False)
    reminded_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = ActionItemQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "id"]
        indexes = [
            models.Index(fields=["state", "due_on"], name="item_due"),
            models.Index(fields=["owner", "state", "due_on"], name="item_owner"),
        ]
        verbose_name = _("action item")
        verbose_name_plural = _("action items")

    def __str__(self) -> str:
        return f"#{self.pk}"  # the audit log keeps it


class OverdueReport(models.Model):
    """That the administrators were told how many action items are overdue, once a week."""

    monday = models.DateField(unique=True)
    number = models.PositiveIntegerField()

    class Meta:
        ordering = ["monday"]

    def __str__(self) -> str:
        return f"{self.number} on {self.monday}"
