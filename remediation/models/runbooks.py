"""Runbooks, their versions, and the secrets that their steps name."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField, validate_unique_ci
from remediation.vocabulary import Risk

DAY = 86_400


class Runbook(models.Model):
    """Something that can be done about incidents; what it does is in its versions.

    `failures` counts the latest runs that failed in a row; `paused_because` is a stored sentence.
    """

    name = NameField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), max_length=4000, blank=True, default="")
    is_enabled = models.BooleanField(_("enabled"), default=True)
    current = models.ForeignKey(
        "remediation.RunbookVersion",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("current version"),
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    paused_at = models.DateTimeField(_("paused at"), null=True, editable=False)
    paused_because = models.TextField(_("paused because"), blank=True, default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("runbook")
        verbose_name_plural = _("runbooks")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a taken name."""
        validate_unique_ci(self, "name")


class RunbookVersion(models.Model):
    """What a runbook does, fixed once stored; an edit makes the next one.

    `steps` as in docs/remediation.md; `automatic_for` is {services, severity_from, title_words} or null; `digest` is
    SHA-256 of all that it does. No limit is 0; `runbook_cooldown` may be, and NULL leaves it to who proposed the run.
    """

    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="versions", verbose_name=_("runbook"))
    number = models.PositiveIntegerField(_("version"))
    risk = models.CharField(_("risk"), max_length=1, choices=Risk.choices, default=Risk.B)
    parameters = models.JSONField(_("parameters"), default=list, blank=True)
    steps = models.JSONField(_("steps"), default=list)
    cooldown_seconds = models.PositiveIntegerField(
        _("cool-down"), default=300, validators=[MaxValueValidator(30 * DAY)], help_text=_("In seconds.")
    )
    runbook_cooldown = models.PositiveIntegerField(
        _("cool-down of the runbook"),
        null=True,
        blank=True,
        default=None,
        validators=[MaxValueValidator(30 * DAY)],
        help_text=_("In seconds, whatever the targets; empty: 300 for runs of class A by a rule, else none."),
    )
    daily_cap = models.PositiveIntegerField(_("runs a day"), default=20, validators=[MinValueValidator(1)])
    daily_cap_per_target = models.PositiveIntegerField(
        _("runs a day and target"), default=3, validators=[MinValueValidator(1)]
    )
    max_targets = models.PositiveIntegerField(
        _("most targets"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    max_percent = models.PositiveSmallIntegerField(
        _("most targets, %"), default=50, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    automatic_for = models.JSONField(_("proposed by itself for"), null=True, blank=True, default=None)
    digest = models.CharField(_("digest"), max_length=64, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["runbook", "number"], name="runbook_version")]
        verbose_name = _("version of a runbook")
        verbose_name_plural = _("versions of runbooks")

    def __str__(self) -> str:
        return f"{self.number}"


class RunbookSecret(models.Model):
    """A credential that steps name, sent as a header below one address; never shown again."""

    name = models.SlugField(_("name"), max_length=60, unique=True, help_text=_("What steps call it."))
    url_prefix = models.CharField(
        _("address"), max_length=500, help_text=_("It is sent only to addresses that begin so: https://ops.example/v1/")
    )
    header = models.CharField(_("header"), max_length=60, default="Authorization")
    sealed = models.TextField(editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("set by"),
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("secret of runbooks")
        verbose_name_plural = _("secrets of runbooks")

    def __str__(self) -> str:
        return self.name
