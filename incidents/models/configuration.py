"""What administrators set up: categories and service-level policies."""

import datetime as dt
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from core.severity import Severity
from core.text.names import NameField, validate_unique_ci
from incidents.sla import format_closing_time
from responders.models import ACTIVE, ActiveQuerySet, Team

MAX_MINUTES = 10 * 366 * 24 * 60  # beyond it, due times leave the calendar


class Category(models.Model):
    """A kind of incident, and the team that gets those nobody else is named for."""

    name = NameField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(_("slug"), max_length=100, unique=True, help_text=_("Identifier used in the API."))
    description = models.TextField(_("description"), blank=True, default="")
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Clear to retire it: it is no longer offered for new incidents.")
    )
    default_team = models.ForeignKey(
        Team,
        verbose_name=_("default team"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        limit_choices_to=ACTIVE,
        help_text=_("Gets new incidents."),
    )

    objects = ActiveQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse names that differ only in case."""
        validate_unique_ci(self, "name", "slug")


def working_days() -> list[int]:
    return [0, 1, 2, 3, 4]


class SlaPolicy(models.Model):
    """How soon incidents of a severity (and, if set, a category) must be acknowledged and resolved."""

    name = NameField(_("name"), max_length=100, unique=True)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity.choices)
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="sla_policies",
    )
    ack_minutes = models.PositiveIntegerField(_("ack minutes"), null=True, blank=True, help_text=_("Empty: no target."))
    resolve_minutes = models.PositiveIntegerField(
        _("resolve minutes"), null=True, blank=True, help_text=_("Empty: no target.")
    )
    is_round_the_clock = models.BooleanField(
        _("round the clock"), default=True, help_text=_("Clear to count business hours only.")
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", help_text=_("IANA name, such as Europe/Zurich.")
    )
    weekdays = models.JSONField(
        _("weekdays"), default=working_days, blank=True, help_text=_("Working days, 0 = Monday … 6 = Sunday.")
    )
    opens_at = models.TimeField(_("opens at"), default=dt.time(9, 0), help_text=_("Business hours begin, local time."))
    closes_at = models.TimeField(_("closes at"), default=dt.time(17, 0), help_text=_("Business hours end, local time."))
    holidays = models.JSONField(
        _("holidays"), default=list, blank=True, help_text=_('Days off, such as ["2027-01-01"].')
    )
    category_key = models.GeneratedField(
        expression=Coalesce("category_id", 0), output_field=models.BigIntegerField(), db_persist=True
    )

    class Meta:
        ordering = ["-severity", "category_id"]
        verbose_name = _("SLA policy")
        verbose_name_plural = _("SLA policies")
        # NULL would escape a unique constraint
        constraints = [models.UniqueConstraint(fields=["severity", "category_key"], name="one_policy_per_case")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a taken name, inverted targets, and a calendar without time."""
        validate_unique_ci(self, "name")
        if self.time_zone not in available_timezones():
            raise ValidationError({"time_zone": "Unknown time zone; use a name such as Europe/Zurich."})
        self._refuse_targets()
        if not isinstance(self.weekdays, list) or not all(
            type(day) is int and day in range(7) for day in self.weekdays
        ):
            raise ValidationError({"weekdays": "Give a list of numbers, 0 for Monday to 6 for Sunday."})
        if not self.is_round_the_clock and not self.weekdays:
            raise ValidationError({"weekdays": "Business hours need at least one working day."})
        if not self.is_round_the_clock and self.closes_at == self.opens_at != dt.time.min:
            raise ValidationError(
                {"closes_at": "Business hours must end later than they begin; whole days are from 00:00 to 24:00."}
            )
        try:
            days = [dt.date.fromisoformat(day).isoformat() for day in self.holidays]
            if days != self.holidays:
                raise ValueError("other ways to write a day are not what the calendar looks for")
        except (TypeError, ValueError) as error:
            raise ValidationError({"holidays": 'Give a list of days such as ["2027-01-01"].'}) from error

    def _refuse_targets(self) -> None:
        for name in ("ack_minutes", "resolve_minutes"):
            if (getattr(self, name) or 0) > MAX_MINUTES:
                raise ValidationError(
                    {name: f"A target of more than {MAX_MINUTES:,} minutes (ten years) is a mistake."}
                )
        acknowledge, resolve = self.ack_minutes, self.resolve_minutes
        if acknowledge is not None and resolve is not None and acknowledge > resolve:
            raise ValidationError({"ack_minutes": "Acknowledging cannot have more minutes than resolving."})

    def snapshot(self) -> dict[str, Any]:
        """Return what an incident copies: targets in minutes, and the calendar."""
        return {
            "policy": self.name,
            "ack_minutes": self.ack_minutes,
            "resolve_minutes": self.resolve_minutes,
            "calendar": None
            if self.is_round_the_clock
            else {
                "time_zone": self.time_zone,
                "weekdays": self.weekdays,
                "opens_at": self.opens_at.isoformat("minutes"),
                "closes_at": format_closing_time(self.closes_at),
                "holidays": self.holidays,
            },
        }
