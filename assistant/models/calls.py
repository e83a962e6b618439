"""Calls of a language model: queue, ledger and answers in one; what they may cost; whether they are made."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assistant.vocabulary import ANSWERED, CallState, Outcome, Task
from core.db.fields import FlagField
from incidents.models import Incident

ONLY = 1


class ModelCallQuerySet(models.QuerySet["ModelCall"]):
    """Calls."""

    def due(self, now: dt.datetime) -> "ModelCallQuerySet":
        """Select those that wait, and those whose process died."""
        return self.filter(due_at__lte=now).order_by("due_at")

    def answered(self) -> "ModelCallQuerySet":
        return self.filter(outcome__in=ANSWERED)


class ModelCall(models.Model):
    """One question to a model about an incident; written by assistant.services only.

    `due_at` is NULL once it is done, else when a worker may take it. `rows` names all rows of the prompt, between
    blanks; `result` holds the checked answer with real names in it, never the prompt.
    """

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="model_calls"
    )
    task = models.CharField(_("task"), max_length=16, choices=Task.choices)
    state = models.CharField(_("state"), max_length=8, choices=CallState.choices, default=CallState.WAITING)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Empty: asked at the incident's opening."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    provider = models.CharField(_("provider"), max_length=16, blank=True, default="")
    model = models.CharField(_("model"), max_length=100, blank=True, default="")
    tokens_in = models.PositiveIntegerField(_("tokens read"), default=0)
    tokens_out = models.PositiveIntegerField(_("tokens written"), default=0)
    cost_micros = models.PositiveBigIntegerField(_("cost"), default=0, help_text=_("Millionths of a USD."))
    duration_ms = models.PositiveIntegerField(_("duration"), default=0, help_text=_("Milliseconds."))
    tools_ignored = models.PositiveSmallIntegerField(
        _("tools ignored"), default=0, help_text=_("Calls of tools in the answer; none is ever carried out.")
    )
    prompt_digest = models.CharField(_("prompt digest"), max_length=64, blank=True, default="")
    rows = models.TextField(blank=True, default="")
    result = models.JSONField(default=dict)

    objects = ModelCallQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("model call")
        verbose_name_plural = _("model calls")
        indexes = [
            models.Index(fields=["due_at"], name="model_call_due"),
            models.Index(fields=["incident", "task"], name="model_call_incident"),
            models.Index(fields=["prompt_digest"], name="model_call_digest"),
            models.Index(fields=["ended_at"], name="model_call_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.task} for INC-{self.incident_id}"


class ModelCallTotal(models.Model):
    """Sums over calls that were deleted for their age, so that counters never go back."""

    task = models.CharField(max_length=16)
    outcome = models.CharField(max_length=12)
    calls = models.PositiveBigIntegerField(default=0)
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    cost_micros = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "outcome"], name="model_call_total_once")]

    def __str__(self) -> str:
        return f"{self.task} {self.outcome}: {self.calls}"


class ModelBudget(models.Model):
    """What a day (`day:2026-03-02`, UTC) or an incident (`incident:12`) has used, with what is reserved.

    Millionths of a USD, or tokens if no prices are set.
    """

    scope = models.CharField(_("scope"), max_length=40, unique=True)
    used = models.PositiveBigIntegerField(_("used"), default=0)

    class Meta:
        verbose_name = _("model budget")
        verbose_name_plural = _("model budgets")

    def __str__(self) -> str:
        return f"{self.scope}: {self.used}"


class ModelSwitch(models.Model):
    """Whether the model is asked: an administrator's switch, and the circuit breaker that all processes share."""

    is_enabled = FlagField(
        _("enabled"), default=True, help_text=_("Clear this to stop asking the model at once; nothing leaves then.")
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    open_until = models.DateTimeField(_("pauses until"), null=True, editable=False)
    last_failure = models.CharField(_("last failure"), max_length=200, blank=True, default="", editable=False)
    failed_at = models.DateTimeField(_("last failed at"), null=True, editable=False)

    class Meta:
        verbose_name = _("language model")
        verbose_name_plural = _("language model")

    def __str__(self) -> str:
        return str(_("Language model"))
