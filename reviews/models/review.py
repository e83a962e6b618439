"""A review and what it is made of."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident, IncidentEvent
from reviews.models.rules import ReviewRule
from reviews.vocabulary import Part, ReviewState
from users.models import User

MAX_TEXT = 20_000


class ReviewQuerySet(models.QuerySet["Review"]):
    def visible_to(self, user: User) -> "ReviewQuerySet":
        """Select reviews of incidents that the person sees; reporters see none."""
        if not (user.is_admin or user.is_responder):
            return self.none()
        # not IN: SQLite would read every incident to show the newest reviews
        return self.filter(Exists(Incident.objects.visible_to(user).order_by().filter(pk=OuterRef("incident"))))


class Review(models.Model):
    """What happened, why, and what follows from it; written by reviews.services only.

    The public edition (`public_title`, `public_text`, `public_translations` as {language: {title, text}}) is separate
    text and never derived from the rest. `remind_at` is when its owner is reminded next, NULL if not.
    """

    incident = models.OneToOneField(
        Incident, on_delete=models.CASCADE, related_name="post_incident_review", verbose_name=_("incident")
    )
    state = models.CharField(_("state"), max_length=16, choices=ReviewState.choices, default=ReviewState.DRAFT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reviews",
        verbose_name=_("owner"),
    )
    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(_("what happened"), max_length=MAX_TEXT, blank=True, default="")
    impact = models.TextField(_("impact"), max_length=MAX_TEXT, blank=True, default="")
    surprises = models.TextField(_("what surprised us"), max_length=MAX_TEXT, blank=True, default="")
    went_well = models.TextField(_("what went well"), max_length=MAX_TEXT, blank=True, default="")
    went_badly = models.TextField(_("what made it harder"), max_length=MAX_TEXT, blank=True, default="")
    themes = models.JSONField(_("themes"), default=list, blank=True)
    rule = models.ForeignKey(
        ReviewRule,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="reviews",
        verbose_name=_("required by"),
    )
    due_at = models.DateTimeField(_("due"), null=True, blank=True, db_index=True)
    remind_at = models.DateTimeField(null=True, db_index=True, editable=False)
    public_title = models.CharField(_("public title"), max_length=200, blank=True, default="")
    public_text = models.TextField(_("public text"), max_length=MAX_TEXT, blank=True, default="")
    public_translations = models.JSONField(_("public translations"), default=dict, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "due_at"], name="review_due")]
        verbose_name = _("review")
        verbose_name_plural = _("reviews")

    def __str__(self) -> str:
        return f"INC-{self.incident_id}"  # the audit log keeps it: no text that may have to be redacted


class Moment(models.Model):
    """A step of the narrative, linked to the row of the timeline that it tells of."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="moments")
    event = models.ForeignKey(
        IncidentEvent, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("event")
    )
    at = models.DateTimeField(_("at"))
    text = models.TextField(_("text"), max_length=4000)

    class Meta:
        ordering = ["review", "at", "id"]
        verbose_name = _("moment")
        verbose_name_plural = _("moments")

    def __str__(self) -> str:
        return self.text[:80]


class Factor(models.Model):
    """One of several things that contributed; there is no single root cause."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="factors")
    position = models.PositiveIntegerField(_("position"), default=0)
    text = models.TextField(_("contributing factor"), max_length=4000)

    class Meta:
        ordering = ["review", "position", "id"]
        verbose_name = _("contributing factor")
        verbose_name_plural = _("contributing factors")

    def __str__(self) -> str:
        return self.text[:80]


class Participant(models.Model):
    """Somebody who was there, was asked, or reads it before it is completed."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )
    part = models.CharField(_("part"), max_length=16, choices=Part.choices, default=Part.INVOLVED)
    notes = models.TextField(_("notes"), max_length=MAX_TEXT, blank=True, default="")

    class Meta:
        ordering = ["review", "id"]
        constraints = [models.UniqueConstraint(fields=["review", "user", "part"], name="participant_once")]
        verbose_name = _("participant")
        verbose_name_plural = _("participants")

    def __str__(self) -> str:
        return f"{self.user_id} {self.part}"
