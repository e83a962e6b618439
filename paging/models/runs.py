"""Running escalations."""

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from paging.vocabulary import RunState
from responders.models import EscalationPolicy


class EscalationRunQuerySet(models.QuerySet["EscalationRun"]):
    def due(self, now: dt.datetime) -> "EscalationRunQuerySet":
        """Select those with something to do, the longest waiting first."""
        return self.filter(next_step_at__lte=now).order_by("next_step_at", "id")

    def current(self) -> "EscalationRunQuerySet":
        """Select those that have not ended: at most one per incident."""
        return self.filter(open_key__isnull=False)


class EscalationRun(models.Model):
    """One escalation of one incident; written by paging.services, which hold the incident's lock.

    `policy_values` is the policy as it was at the start, with names. `next_step_at` is when there is something to do:
    a step, giving up, or asking whether somebody still works on it.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="escalation_runs")
    open_key = models.BigIntegerField(
        null=True, unique=True, editable=False, help_text=_("The incident until it ends.")
    )
    policy = models.ForeignKey(EscalationPolicy, null=True, on_delete=models.SET_NULL, related_name="runs")
    policy_values = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=RunState.choices, default=RunState.RUNNING)
    position = models.PositiveSmallIntegerField(default=0, help_text=_("Place of the next step, from 0."))
    round = models.PositiveSmallIntegerField(default=0, help_text=_("How often the steps were repeated."))
    performed = models.PositiveIntegerField(default=0, help_text=_("How many steps were performed: names their pages."))
    acks_needed = models.PositiveSmallIntegerField(default=1, help_text=_("Of different people, for the last step."))
    has_paged = models.BooleanField(default=False, help_text=_("This round has paged somebody."))
    again_at = models.DateTimeField(null=True, help_text=_("Since when it pages again after an acknowledgement."))
    next_step_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=200, blank=True, default="")
    paused_because = models.CharField(max_length=300, blank=True, default="", help_text=_("Such as a silence."))
    failure = models.CharField(max_length=500, blank=True, default="", help_text=_("Why the last attempt failed."))

    objects = EscalationRunQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("escalation")
        indexes = [
            models.Index(fields=["next_step_at"], name="run_due"),
            models.Index(fields=["state", "next_step_at"], name="run_state"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_values.get('name', 'Escalation')} for INC-{self.incident_id}"


class RoundRobin(models.Model):
    """Whose turn it was in a step that pages one person at a time; locked while it is read."""

    key = models.CharField(max_length=64, unique=True, help_text=_("Digest of the policy and the step's targets."))
    last_user = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return self.key
