"""Raw requests of senders: the queue, and the evidence."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from intake.models.source import Source
from intake.vocabulary import IntakeState


class IntakeEventQuerySet(models.QuerySet["IntakeEvent"]):
    """Selections of intake events."""

    def waiting(self) -> "IntakeEventQuerySet":
        """Select those to process, oldest first."""
        return self.filter(state=IntakeState.WAITING, dismissed_at__isnull=True).order_by("id")

    def troubling(self) -> "IntakeEventQuerySet":
        """Select failed ones that nobody dismissed."""
        return self.filter(state=IntakeState.FAILED, dismissed_at__isnull=True)


class IntakeEvent(models.Model):
    """A request, stored before it was answered.

    `format` says how to read it: a kind of source, or `internal`. `delivery_key` is the SHA-256 of source and delivery
    number, unique.
    """

    source = models.ForeignKey(
        Source, verbose_name=_("source"), null=True, on_delete=models.CASCADE, related_name="events"
    )
    format = models.CharField(_("format"), max_length=32)
    state = models.CharField(max_length=8, choices=IntakeState.choices, default=IntakeState.WAITING)
    reason = models.CharField(max_length=500, blank=True, default="")
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    byte_count = models.PositiveIntegerField(
        null=True, editable=False, help_text=_("Size of the body.")
    )  # NULL: not measured
    delivery_key = models.CharField(  # noqa: DJ001 (NULL is what lets deliveries have no number)
        max_length=64, null=True, unique=True, editable=False
    )
    received_at = models.DateTimeField(_("received at"), db_index=True)
    processed_at = models.DateTimeField(_("processed at"), null=True)
    alert_count = models.PositiveIntegerField(_("alert count"), default=0)
    dismissed_at = models.DateTimeField(_("dismissed at"), null=True, help_text=_("When the failure was dismissed."))
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("dismissed by"), null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = IntakeEventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("intake event")
        verbose_name_plural = _("intake events")
        # waiting ones are never dismissed: naming both walks this index by id
        indexes = [models.Index(fields=["state", "dismissed_at"], name="intake_state_dismissed")]

    def __str__(self) -> str:
        return f"{self.format} {self.pk}"
