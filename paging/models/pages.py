"""Pages: who is asked to answer, and why."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incidents.models import Incident
from paging.models.runs import EscalationRun
from paging.vocabulary import Importance


class PageQuerySet(models.QuerySet["Page"]):
    def waiting(self) -> "PageQuerySet":
        """Select those that wait for an answer."""
        return self.filter(answered_at__isnull=True, cancelled_at__isnull=True)


class Page(models.Model):
    """One person, or one room or machine, paged for an incident; never changed but for its four stamps."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="pages", db_index=False)
    run = models.ForeignKey(EscalationRun, null=True, on_delete=models.CASCADE, related_name="pages")
    step = models.PositiveSmallIntegerField(
        _("step"), null=True, help_text=_("From 1; NULL by hand and when a policy is exhausted.")
    )
    round = models.PositiveSmallIntegerField(_("round"), default=0)
    performed = models.PositiveIntegerField(
        null=True, help_text=_("Which of the run's steps, counted as they happened.")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="pages", db_index=False
    )
    target_kind = models.CharField(max_length=16)
    target_id = models.BigIntegerField()
    target_name = models.CharField(max_length=200)
    why = models.CharField(_("why"), max_length=300)
    importance = models.CharField(_("importance"), max_length=8, choices=Importance.choices, default=Importance.HIGH)
    message = models.TextField(_("message"), blank=True, default="")
    key = models.CharField(max_length=100, unique=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True, help_text=_("Every attempt failed."))

    objects = PageQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = pgettext_lazy("escalation", "page")
        verbose_name_plural = pgettext_lazy("escalation", "pages")
        indexes = [
            models.Index(fields=["incident", "answered_at", "cancelled_at"], name="page_incident"),
            models.Index(fields=["user", "created_at"], name="page_user"),
            models.Index(fields=["created_at"], name="page_created"),
        ]

    def __str__(self) -> str:
        return f"{self.target_name} for INC-{self.incident_id}"
