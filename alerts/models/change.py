from django.db import models

from intake.models.source import Source
from responders.models import Service


class ChangeEvent(models.Model):
    """A deploy, setting or flag, shown beside what broke afterwards.

    `delivery_key` (SHA-256 of its identity at the sender) stores repeats once.
    """

    source = models.ForeignKey(Source, null=True, on_delete=models.SET_NULL, related_name="changes")
    service = models.ForeignKey(Service, null=True, on_delete=models.SET_NULL, related_name="changes")
    summary = models.CharField(max_length=500)
    origin = models.CharField(max_length=200, blank=True, default="", help_text="The system the change came from.")
    details = models.JSONField(default=dict)
    links = models.JSONField(default=list)
    delivery_key = models.CharField(  # noqa: DJ001 (NULL is what lets changes have no time)
        max_length=64, null=True, unique=True, editable=False
    )
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        verbose_name = "change"
        indexes = [
            models.Index(fields=["occurred_at"], name="change_occurred"),
            models.Index(fields=["service", "occurred_at"], name="change_service"),
        ]

    def __str__(self) -> str:
        return self.summary
