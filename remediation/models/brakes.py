"""What keeps runs from starting: change freezes and the global stop."""

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField
from responders.models import Service, Team


class FreezeWindow(models.Model):
    """A time in which runs need an administrator's written reason; for all, or for those of teams and services."""

    name = NameField(_("name"), max_length=100)
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    is_weekly = models.BooleanField(
        _("every week"), default=False, help_text=_("At the same time by its zone's clock.")
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    teams = models.ManyToManyField(Team, blank=True, related_name="+", verbose_name=_("teams"))
    services = models.ManyToManyField(Service, blank=True, related_name="+", verbose_name=_("services"))

    class Meta:
        ordering = ["starts_at", "id"]
        verbose_name = _("freeze window")
        verbose_name_plural = _("freeze windows")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a window that ends before it starts, or weekly ones longer than a week, and unknown zones."""
        if self.time_zone not in zoneinfo.available_timezones():
            raise ValidationError({"time_zone": _("Must be a time zone, such as Europe/Zurich.")})
        if self.starts_at is None or self.ends_at is None:
            return
        if self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": _("Must be after the start.")})
        if self.is_weekly and (self.ends_at - self.starts_at).days >= 7:
            raise ValidationError({"ends_at": _("A weekly window is shorter than a week.")})


class Stop(models.Model):
    """A global stop of all runs, until somebody releases it; `active` is 1 while it holds, else NULL."""

    active = models.PositiveSmallIntegerField(null=True, unique=True, editable=False)
    reason = models.TextField(_("reason"), max_length=1000)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("stopped by")
    )
    stopped_at = models.DateTimeField(_("stopped at"), default=timezone.now)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("released by")
    )
    released_at = models.DateTimeField(_("released at"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("global stop")
        verbose_name_plural = _("global stops")

    def __str__(self) -> str:
        return f"{self.stopped_at:%Y-%m-%d %H:%M}"


class RuleMatch(models.Model):
    """An incident for which a runbook proposes itself, once; `due_at` is when to try, NULL when done."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="+")
    runbook = models.ForeignKey("remediation.Runbook", on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey("remediation.Run", null=True, on_delete=models.CASCADE, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, db_index=True)
    why = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["incident", "runbook"], name="rule_match_once")]

    def __str__(self) -> str:
        return f"INC-{self.incident_id}"
