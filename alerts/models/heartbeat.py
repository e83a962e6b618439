from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField
from intake.models.source import Source, minutes_field


class Heartbeat(models.Model):
    """A source's promised heartbeat; missing it raises an alert."""

    source = models.ForeignKey(Source, verbose_name=_("source"), on_delete=models.CASCADE, related_name="heartbeats")
    name = NameField(_("name"), max_length=100)
    interval_minutes = minutes_field(_("interval minutes"), _("Maximum time between pings."), default=10)
    last_ping_at = models.DateTimeField(_("last ping at"), default=timezone.now)
    is_enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        ordering = ["source", "name"]
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        constraints = [models.UniqueConstraint(fields=["source", "name"], name="heartbeat_once")]

    def __str__(self) -> str:
        return self.name
