"""Runs of runbooks: what was proposed, approved and done, as rows."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident, Origin
from remediation.models.runbooks import Runbook, RunbookVersion
from remediation.steps.port import step_kind
from remediation.vocabulary import WAITING, Activity, Finding, PhaseState, PhaseWord, RunState
from users.models import User


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User) -> "RunQuerySet":
        """Select runs of incidents that the person sees; reporters see none."""
        if not (user.is_admin or user.is_responder):
            return self.none()
        return self.filter(Exists(Incident.objects.visible_to(user).order_by().filter(pk=OuterRef("incident"))))

    def expired(self, now: dt.datetime) -> "RunQuerySet":
        """Select those that nobody executed in time."""
        return self.filter(state__in=WAITING, expires_at__lte=now)

    def unsettled(self) -> "RunQuerySet":
        """Select those that ended unknown, and of which nobody has said yet what they did."""
        return self.filter(state=RunState.UNKNOWN, settled_at=None)


class Run(models.Model):
    """One execution of a runbook for an incident; written by remediation.services only.

    `digest` binds version, parameters and targets. `due_at` is when the engine looks next, or when its lease ends;
    NULL: nothing to do. `why` is a stored sentence; `is_stopping` ends the run before its next step. `finding` is what
    somebody who settled an unknown run found.
    """

    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, related_name="remediation_runs", verbose_name=_("incident")
    )
    version = models.ForeignKey(
        RunbookVersion, on_delete=models.PROTECT, related_name="runs", verbose_name=_("version")
    )
    runbook = models.ForeignKey(Runbook, on_delete=models.PROTECT, related_name="runs", verbose_name=_("runbook"))
    state = models.CharField(_("state"), max_length=16, choices=RunState.choices, default=RunState.PROPOSED)
    activity = models.CharField(max_length=16, choices=Activity.choices, blank=True, default=Activity.NOTHING)
    parameters = models.JSONField(_("parameters"), default=dict)
    populations = models.JSONField(
        default=list, help_text=_("By step, of how many the targets are a part; 0: unknown.")
    )
    digest = models.CharField(_("digest"), max_length=64)
    is_automatic = models.BooleanField(_("by a rule"), default=False)
    origin = models.CharField(_("origin"), max_length=16, choices=Origin.choices, default=Origin.API)
    why = models.TextField(_("reason"), blank=True, default="")
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by")
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("approved by")
    )
    executed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("executed by")
    )
    override_reason = models.TextField(_("why during a change freeze"), max_length=1000, blank=True, default="")
    overridden_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("proposed at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"))
    approved_at = models.DateTimeField(_("approved at"), null=True)
    dry_run_at = models.DateTimeField(_("tried at"), null=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("settled by")
    )
    finding = models.CharField(_("finding"), max_length=16, choices=Finding.choices, blank=True, default="")
    settled_note = models.TextField(_("what was found"), max_length=1000, blank=True, default="")
    is_stopping = models.BooleanField(default=False)
    stopping_because = models.TextField(blank=True, default="")
    due_at = models.DateTimeField(null=True, db_index=True, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "expires_at"], name="run_expiry"),
            models.Index(fields=["runbook", "started_at"], name="run_started"),
        ]
        verbose_name = _("run")
        verbose_name_plural = _("runs")

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_unsettled(self) -> bool:
        return self.state == RunState.UNKNOWN and self.settled_at is None

    @property
    def is_unverified(self) -> bool:
        """Whether it ended well, but by a version from before each step had to verify."""
        if self.state != RunState.VERIFIED:
            return False
        kinds = [(step, step_kind(str(step["kind"]))) for step in self.version.steps]
        return any(kind is not None and not kind.verifies(step) for step, kind in kinds)

    @property
    def state_label(self) -> str:
        """The state as people read it."""
        if self.settled_at is not None:
            return pgettext("run", "Unknown, settled")
        return gettext("Done, not verified") if self.is_unverified else self.get_state_display()


class RunTarget(models.Model):
    """A target of one step of a run; `key` is SHA-256 of kind and name.

    `held_key` is the key while the run executes, and after it ended unknown until it is settled; NULL when free: the
    database allows one run at a time. Only the first of equal targets of a run holds it.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="targets")
    step = models.PositiveSmallIntegerField(_("step"))
    place = models.PositiveSmallIntegerField()
    kind = models.CharField(_("kind"), max_length=40)
    name = models.CharField(_("target"), max_length=500)
    details = models.JSONField(default=dict)
    key = models.CharField(max_length=64)
    held_key = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 (NULL: free)
    started_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["run", "step", "place"]
        constraints = [models.UniqueConstraint(fields=["run", "step", "place"], name="run_target")]
        indexes = [models.Index(fields=["key", "started_at"], name="run_target_started")]
        verbose_name = _("target of a run")
        verbose_name_plural = _("targets of runs")

    def __str__(self) -> str:
        return self.name


class RunPhase(models.Model):
    """A phase of a step on a target, committed as started before anything is sent, with its result afterwards.

    `memory` is what it returned for later phases; `due_at` is when a waiting one is asked again, `ends_at` when it has
    failed.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="phases")
    target = models.ForeignKey(RunTarget, on_delete=models.CASCADE, related_name="phases")
    phase = models.CharField(_("phase"), max_length=16, choices=PhaseWord.choices)
    state = models.CharField(_("state"), max_length=16, choices=PhaseState.choices, default=PhaseState.STARTED)
    idempotency_key = models.CharField(max_length=64, unique=True)
    attempts = models.PositiveIntegerField(default=1)
    output = models.TextField(_("output"), blank=True, default="")
    memory = models.JSONField(default=dict)
    did_nothing = models.BooleanField(default=False)
    started_at = models.DateTimeField(_("started at"))
    ends_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["target", "phase"], name="run_phase_once")]
        verbose_name = _("phase of a run")
        verbose_name_plural = _("phases of runs")

    def __str__(self) -> str:
        return f"{self.phase} {self.state}"
