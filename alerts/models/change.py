from django.db import models
from django.utils.translation import gettext_lazy as _

from intake.models.source import Source
from responders.models import Service


class ChangeEvent(models.Model):
    """A deploy, setting or flag, shown beside what broke afterwards.

    `delivery_key` (SHA-256 of its identity at the sender) stores repeats once.
    """

    source = models.ForeignKey(
        Source, verbose_name=_("source"), null=True, on_delete=models.SET_NULL, related_name="changes"
    )
    service = models.ForeignKey(
        Service, verbose_name=_("service"), null=True, on_delete=models.SET_NULL, related_name="changes"
    )
    summary = models.CharField(_("summary"), max_length=500)
    origin = models.CharField(
        _("origin"), max_length=200, blank=True, default="", help_text=_("The system the change came from.")
    )
    details = models.JSONField(default=dict)
    links = models.JSONField(default=list)
    delivery_key = models.CharField(  # noqa: DJ001 (NULL is what lets changes have no time)
        max_length=64, null=True, unique=True, editable=False
    )
    occurred_at = models.DateTimeField(
        _("occurred at"),
    )
    received_at = models.DateTimeField(
        _("received at"),
    )

    class Meta:
        ordering = ["-occurred_at", "-id"]
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [
            models.Index(fields=["occurred_at"], name="change_occurred"),
            models.Index(fields=["service", "occurred_at"], name="change_service"),
        ]

    def __str__(self) -> str:
        return self.summary
