from django.db import models
from django.utils.translation import gettext_lazy as _

from core.db.fields import ExactCharField
from intake.models import Source
from logs.vocabulary import Level

NAME_LENGTH = 100
HOST_LENGTH = 200
TRACE_LENGTH = 32


class LogEntry(models.Model):
    """A log line, written in bulk without signals, never changed.

    `source` is NULL for what a person sent.
    """

    timestamp = models.DateTimeField(
        _("timestamp"),
    )
    level = models.PositiveSmallIntegerField(choices=Level.choices, default=Level.INFO)
    service = ExactCharField(_("service"), max_length=NAME_LENGTH, blank=True, default="")
    host = ExactCharField(_("host"), max_length=HOST_LENGTH, blank=True, default="")
    message = models.TextField()
    attributes = models.JSONField(default=dict)
    trace_id = ExactCharField(max_length=TRACE_LENGTH, blank=True, default="")
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="log_entries", db_index=False)
    received_at = models.DateTimeField(
        _("received at"),
    )

    class Meta:
        ordering = ["-timestamp", "-id"]
        verbose_name = _("log line")
        verbose_name_plural = _("log lines")
        # Read backwards from a time, ending with the primary key.
        indexes = [
            models.Index(fields=["timestamp"], name="log_time"),
            models.Index(fields=["level", "timestamp"], name="log_level"),
            models.Index(fields=["service", "level", "timestamp"], name="log_service"),
            models.Index(fields=["host", "timestamp"], name="log_host"),
            models.Index(fields=["trace_id", "timestamp"], name="log_trace"),
            models.Index(fields=["source", "timestamp"], name="log_source"),
        ]

    def __str__(self) -> str:
        return self.message[:80]
