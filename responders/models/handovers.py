"""What whoever leaves tells whoever comes."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from responders.models.schedules import Schedule


class HandoverNote(models.Model):
    """A note for the hand-over at `hand_over_at`, read by those whose shift begins then."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="handover_notes", db_index=False)
    hand_over_at = models.DateTimeField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("hand-over note")
        indexes = [models.Index(fields=["schedule", "hand_over_at"], name="handover_of_schedule")]

    def __str__(self) -> str:
        return f"hand-over note {self.pk} of {self.schedule}"
