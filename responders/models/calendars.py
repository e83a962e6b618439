"""Calendars that layers are read from, and the tokens of those that we serve."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField
from responders.models.schedules import Schedule


class ImportedCalendar(models.Model):
    """A calendar by address or upload; `content` is the last good copy, as of `fetched_at`."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="calendars")
    name = NameField(max_length=100)
    url = models.TextField(
        _("address"), blank=True, default="", help_text=_("https://…, fetched every 15 minutes. Empty for an upload.")
    )
    content = models.TextField(blank=True, default="", editable=False)
    fetched_at = models.DateTimeField(null=True, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    error = models.CharField(max_length=300, blank=True, default="", editable=False)
    # Names that fit nobody, of the last good copy.
    unmatched = models.JSONField(default=list, editable=False)
    next_fetch_at = models.DateTimeField(null=True, db_index=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["schedule", "name"]
        constraints = [models.UniqueConstraint(fields=["schedule", "name"], name="imported_calendar_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.schedule}"


class ImportedShift(models.Model):
    """An event of an imported calendar; those that have begun are kept."""

    calendar = models.ForeignKey(ImportedCalendar, on_delete=models.CASCADE, related_name="shifts")
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    users = models.JSONField(default=list)
    unmatched = models.JSONField(default=list)

    class Meta:
        ordering = ["calendar", "starts_at"]
        indexes = [models.Index(fields=["schedule", "ends_at"], name="imported_shift_end")]

    def __str__(self) -> str:
        return f"shift of {self.calendar} at {self.starts_at:%Y-%m-%d %H:%M}"


class CalendarToken(models.Model):
    """Opens a calendar without a sign-in; stored as SHA-256. Without a schedule: a person's own shifts."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_tokens")
    schedule = models.ForeignKey(Schedule, null=True, on_delete=models.CASCADE, related_name="calendar_tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"calendar token {self.pk} of {self.user_id}"
