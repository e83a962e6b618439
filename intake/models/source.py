"""Sources, their keys and unknown words."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.severity import Severity
from core.text.names import NameField, validate_unique_ci
from intake.readers import kinds
from intake.vocabulary import MappedField
from responders.models import ACTIVE, Team

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

DAY_MINUTES = 24 * 60
YEAR_MINUTES = 366 * DAY_MINUTES


def minutes_field(
    label: "_StrPromise", help_text: "_StrPromise", *, default: int | None = None
) -> "models.PositiveIntegerField[int, int]":
    return models.PositiveIntegerField(
        label,
        null=default is None,
        blank=default is None,
        default=default,
        validators=[MinValueValidator(1), MaxValueValidator(YEAR_MINUTES)],
        help_text=help_text,
    )


class Source(models.Model):
    """A tool, or one installation of it, and how its alerts are read."""

    name = NameField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=24, choices=kinds)
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="sources",
        limit_choices_to=ACTIVE,
    )
    default_severity = models.PositiveSmallIntegerField(
        _("default severity"),
        choices=Severity.choices,
        default=Severity.MEDIUM,
        help_text=_("For alerts without a severity."),
    )
    severity_map = models.JSONField(
        _("severity map"),
        default=dict,
        blank=True,
        help_text=_('Maps the sender\'s values to ours, such as {"sev0": "critical"}; overrides the built-in one.'),
    )
    status_map = models.JSONField(
        _("status map"),
        default=dict,
        blank=True,
        help_text=_('Maps the sender\'s values to ours, such as {"check.up": "resolved"}; overrides the built-in one.'),
    )
    group_by = models.JSONField(
        _("group by"),
        default=list,
        blank=True,
        help_text=_(
            "Label names. Alerts with the same values share one open incident; if empty, each alert has its own."
        ),
    )
    auto_resolve = models.BooleanField(
        _("auto resolve"), default=True, help_text=_("Resolve the incident when all its alerts are resolved.")
    )
    reopen_minutes = minutes_field(
        _("reopen minutes"),
        _("An alert that fires again this soon after resolution reopens the incident instead of opening a new one."),
        default=DAY_MINUTES,
    )
    rate_limit = models.PositiveIntegerField(
        _("rate limit"),
        default=6000,
        validators=[MinValueValidator(1)],
        help_text=_("Requests per minute; requests above this rate are rejected with 429."),
    )
    heartbeat_minutes = minutes_field(_("heartbeat minutes"), _("Raise an alert when nothing arrives for this long."))
    expire_minutes = minutes_field(
        _("expire minutes"),
        _(
            "Resolve an alert after this long without an update. "
            "If empty, alerts without an end time expire after a day."
        ),
    )
    templates = models.JSONField(
        _("templates"),
        default=dict,
        blank=True,
        help_text=_("For generic sources: one template per field, such as {{ check.name }}."),
    )
    signing_secret = models.CharField(
        _("signing secret"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("The secret the sender signs its requests with, if any."),
    )
    allow_other_endpoints = models.BooleanField(
        _("allow other endpoints"),
        default=False,
        help_text=_(
            "Accept its keys at endpoints of other kinds, and its heartbeats despite a signing secret. "
            "Signatures of such requests are not verified."
        ),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    last_received_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # when `heartbeat_minutes` was set; kept by `save`
    awaited_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep since when a heartbeat is expected."""
        if self.heartbeat_minutes is None:
            self.awaited_since = None
        elif self.awaited_since is None:
            self.awaited_since = timezone.now() if self.pk else self.created_at
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "awaited_since"}
        super().save(*args, **kwargs)

    def quiet_since(self) -> dt.datetime:
        """Return since when its silence counts."""
        return max(filter(None, (self.last_received_at, self.awaited_since)), default=self.created_at)

    def clean(self) -> None:
        """Refuse a name that differs only in case."""
        validate_unique_ci(self, "name")


class UnknownWord(models.Model):
    """A sender's word without meaning, until somebody maps it.

    `key` is the SHA-256 of source, field and normalised word; `events` are the latest intake events with it.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="unknown_words")
    field = models.CharField(max_length=8, choices=MappedField.choices)
    word = models.CharField(max_length=100)
    key = models.CharField(max_length=64, unique=True, editable=False)
    count = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(db_index=True)
    events = models.JSONField(default=list)

    class Meta:
        ordering = ["-last_seen_at", "-id"]

    def __str__(self) -> str:
        return f"{self.field} {self.word}"


class SourceKey(models.Model):
    """A key, stored as its SHA-256; two may be live, for rotation."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="keys")
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=8, help_text=_("The first characters, to identify the key."))
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.prefix}…"
