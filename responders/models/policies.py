"""Escalation policies: whom to page, step by step, until somebody answers."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField, validate_unique_ci
from responders.models.schedules import Schedule
from responders.models.teams import ACTIVE, ActiveQuerySet, Team

MAX_REPEAT = 20
MAX_MINUTES = 7 * 24 * 60


class EscalationPolicy(models.Model):
    """Ordered steps, as responders.policies reads them; a step's number is its place in the list.

    Which policy runs: the service's, the team's, one whose `team` it is, the default. Running escalations keep the
    values they started with.
    """

    name = NameField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True, default="")
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="own_policies",
        limit_choices_to=ACTIVE,
        help_text=_("Runs for this team's incidents, unless their service or the team names another policy."),
    )
    steps = models.JSONField(_("steps"), default=list, blank=True)
    repeat = models.PositiveSmallIntegerField(
        _("repeat"), default=0, help_text=_("How often the steps are repeated when nobody answers.")
    )
    wait_minutes = models.PositiveIntegerField(
        _("wait minutes"),
        null=True,
        blank=True,
        help_text=_(
            "Minutes after the last step before the steps are repeated, or the policy gives up. Empty: the longest "
            "delay among its steps; 5 if none has a delay."
        ),
    )
    on_exhausted = models.JSONField(_("on exhausted"), default=list, blank=True)
    reack_minutes = models.PositiveIntegerField(
        _("reack minutes"),
        null=True,
        blank=True,
        help_text=_("Page again when nobody has worked on an acknowledged incident for so many minutes."),
    )
    is_default = models.BooleanField(
        _("default policy"), default=False, help_text=_("Runs where no service or team has a policy.")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Clear to retire it: it starts for no further incidents.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ActiveQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("escalation policy")
        verbose_name_plural = _("escalation policies")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        validate_unique_ci(self, "name")
        if self.is_default and not self.is_active:
            message = gettext("The default policy cannot be retired; make another policy the default first.")
            raise ValidationError({"is_active": message})


class PolicyTarget(models.Model):
    """Whom a policy names, so that nothing it names is deleted; rewritten with the policy.

    Kinds that other apps register have no column of their own.
    """

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.CASCADE, related_name="targets")
    kind = models.CharField(max_length=16)
    target_id = models.BigIntegerField()
    schedule = models.ForeignKey(Schedule, null=True, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["policy", "kind", "target_id"]
        verbose_name = _("step of an escalation policy")
        verbose_name_plural = _("steps of escalation policies")
        constraints = [models.UniqueConstraint(fields=["policy", "kind", "target_id"], name="policy_target_once")]
        indexes = [models.Index(fields=["kind", "target_id"], name="policy_target")]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_id} in {self.policy}"
