"""That nobody was reached, and that somebody looks."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from paging.models.runs import EscalationRun
from paging.vocabulary import AlarmReason


class EscalationAlarm(models.Model):
    """Nobody was reached for an incident; stands until somebody acknowledges it or it ends."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="escalation_alarms", db_index=False)
    run = models.ForeignKey(EscalationRun, null=True, on_delete=models.CASCADE, related_name="alarms")
    reason = models.CharField(_("reason"), max_length=16, choices=AlarmReason.choices)
    detail = models.CharField(_("detail"), max_length=500)
    key = models.CharField(max_length=100, unique=True)
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("escalation alarm")
        verbose_name_plural = _("escalation alarms")
        indexes = [
            models.Index(fields=["incident", "cleared_at"], name="alarm_incident"),
            models.Index(fields=["cleared_at"], name="alarm_standing"),
        ]

    def __str__(self) -> str:
        return f"INC-{self.incident_id}: {self.detail}"


class AuditPass(models.Model):
    """How far the audit of open incidents is, and what the last complete pass found."""

    name = models.CharField(max_length=64, primary_key=True)
    position = models.BigIntegerField(default=0)
    position_at = models.DateTimeField(null=True, help_text=_("When the last incident looked at was opened."))
    checked = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list)
    started_at = models.DateTimeField(null=True)
    last_checked = models.PositiveIntegerField(default=0)
    last_findings = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True)
    pinged_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = _("audit passes")

    def __str__(self) -> str:
        return self.name
