"""What the public is told: incidents and maintenance, their updates, and when what was affected."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField, validate_unique_ci
from incidents.models import Incident
from status_page.models.page import Component
from status_page.vocabulary import Impact, Kind, State


class PublicIncidentQuerySet(models.QuerySet["PublicIncident"]):
    def open(self) -> "PublicIncidentQuerySet":
        """Select those that have not ended, planned maintenance too."""
        return self.filter(ended_at=None)


class PublicIncident(models.Model):
    """An incident or maintenance as the public sees it; written by status_page.services only.

    `starts_at` is when it began or is to begin, `ends_at` the planned end of maintenance, `ended_at` NULL while it is
    open. `next_step_at` is when a job starts or completes maintenance. `review` is the public edition of its review.
    """

    uid = models.CharField(max_length=32, unique=True, editable=False, help_text=_("Names it in public addresses."))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.INCIDENT)
    title = models.CharField(_("title"), max_length=200)
    impact = models.CharField(_("impact"), max_length=16, choices=Impact.choices)
    state = models.CharField(_("state"), max_length=16, choices=State.choices)
    translations = models.JSONField(_("translations"), default=dict, blank=True)
    components = models.ManyToManyField(Component, blank=True, related_name="+", verbose_name=_("components"))
    incident = models.ForeignKey(
        Incident,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="publications",
        verbose_name=_("incident"),
    )
    starts_at = models.DateTimeField(_("starts at"), db_index=True)
    ends_at = models.DateTimeField(_("planned end"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, db_index=True)
    next_step_at = models.DateTimeField(null=True, db_index=True, editable=False)
    review = models.TextField(_("review"), blank=True, default="")
    review_published_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = PublicIncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-id"]
        verbose_name = _("public incident")
        verbose_name_plural = _("public incidents")

    def __str__(self) -> str:
        return self.title


class PublicUpdate(models.Model):
    """One message to the public; a correction keeps the earlier texts in `earlier`.

    `tell_at` is set while subscribers have still to be told; those up to the id `told_to`, `told_count` of
    them, have been.
    """

    public_incident = models.ForeignKey(PublicIncident, on_delete=models.CASCADE, related_name="updates")
    state = models.CharField(_("state"), max_length=16, choices=State.choices)
    impact = models.CharField(_("impact"), max_length=16, choices=Impact.choices)
    message = models.TextField(_("message"), max_length=10_000)
    translations = models.JSONField(_("translations"), default=dict, blank=True)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    corrected_at = models.DateTimeField(_("corrected at"), null=True, blank=True)
    earlier = models.JSONField(default=list, blank=True, editable=False)
    tell_at = models.DateTimeField(null=True, db_index=True, editable=False)
    told_to = models.BigIntegerField(default=0, editable=False)
    told_count = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["public_incident", "at", "id"]
        verbose_name = _("public update")
        verbose_name_plural = _("public updates")

    def __str__(self) -> str:
        return f"{self.state} {self.at:%Y-%m-%d %H:%M}"

    @property
    def version(self) -> int:
        """Return how many texts it has had."""
        return len(self.earlier) + 1


class ImpactSpan(models.Model):
    """From when to when a public incident affected a component, and how; the bars are made of these."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="spans")
    public_incident = models.ForeignKey(PublicIncident, on_delete=models.CASCADE, related_name="spans")
    impact = models.CharField(max_length=16, choices=Impact.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["began_at", "id"]
        verbose_name = _("impact span")
        verbose_name_plural = _("impact spans")
        indexes = [models.Index(fields=["ended_at", "began_at"], name="span_ended")]

    def __str__(self) -> str:
        return f"{self.component_id} {self.impact} {self.began_at:%Y-%m-%d %H:%M}"


class UpdateTemplate(models.Model):
    """A text to begin an announcement with."""

    name = NameField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.INCIDENT)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, blank=True, default="")
    title = models.CharField(_("title"), max_length=200, blank=True, default="")
    message = models.TextField(_("message"), max_length=10_000, blank=True, default="")
    translations = models.JSONField(_("translations"), default=dict, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("update template")
        verbose_name_plural = _("update templates")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a taken name."""
        validate_unique_ci(self, "name")
