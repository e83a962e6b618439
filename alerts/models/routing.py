from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.validation import silence_times, wrong_matchers
from core.severity import Priority, Severity
from core.text.names import NameField, validate_unique_ci
from incidents.models import Category
from intake.models.source import minutes_field
from responders.models import ACTIVE, Service, Team

MATCHERS_HELP = _('All must match. Each is {"name": a label, severity or source, "op": = != =~ or !~, "value": text}.')

MOST_FIRINGS = 1_000  # each that waits is stored in its group


class Route(models.Model):
    """What to do with matching alerts; the first match decides unless it continues."""

    name = NameField(_("name"), max_length=100, unique=True)
    position = models.PositiveIntegerField(
        _("position"), default=0, db_index=True, help_text=_("Lower positions are evaluated first.")
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    matchers = models.JSONField(_("matchers"), default=list, blank=True, help_text=MATCHERS_HELP)
    go_on = models.BooleanField(
        _("go on"),
        default=False,
        help_text=_("Continue with later routes for settings this one leaves unset (`continue` in the API)."),
    )
    is_drop = models.BooleanField(
        _("is drop"), default=False, help_text=_("Discard matching alerts; only a counter is kept.")
    )
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        limit_choices_to=ACTIVE,
    )
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity.choices, null=True, blank=True)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, null=True, blank=True)
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        limit_choices_to=ACTIVE,
    )
    service = models.ForeignKey(
        Service,
        verbose_name=_("service"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        limit_choices_to=ACTIVE,
    )
    group_by = models.JSONField(
        _("group by"),  # NULL: the source's
        null=True,
        blank=True,
        default=None,
        help_text=_("Label names. If empty, the source's setting applies."),
    )
    open_after_count = models.PositiveIntegerField(
        _("open after count"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_FIRINGS)],
        help_text=_("Open an incident only after this many firings …"),
    )
    open_after_minutes = minutes_field(_("open after minutes"), _("… within this time."), default=5)
    dropped_count = models.PositiveBigIntegerField(default=0, editable=False)
    matched_count = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("route")
        verbose_name_plural = _("routes")

    def __str__(self) -> str:
        return self.name

    @property
    def wrong(self) -> str:
        """Say why its matchers are useless or too broad, or ""."""
        return wrong_matchers(self.matchers, must_ask=self.is_drop)

    def clean(self) -> None:
        validate_unique_ci(self, "name")
        if self.wrong:
            raise ValidationError({"matchers": self.wrong})


class Silence(models.Model):
    """A time in which matching alerts open nothing.

    A weekly one is active on `weekdays` (0 is Monday), `starts_time` to `ends_time` in `time_zone` (an earlier end is
    on the next day), between `starts_at` and `ends_at`.
    """

    matchers = models.JSONField(_("matchers"), default=list, help_text=MATCHERS_HELP)
    starts_at = models.DateTimeField(_("starts at"), default=timezone.now)
    ends_at = models.DateTimeField(
        _("ends at"),
    )
    comment = models.CharField(_("comment"), max_length=500, blank=True, default="")
    weekdays = models.JSONField(
        _("weekdays"),
        default=list,
        blank=True,
        help_text=_("0 (Monday) to 6 (Sunday). If empty, the silence is not weekly."),
    )
    starts_time = models.TimeField(_("start time"), null=True, blank=True)
    ends_time = models.TimeField(_("end time"), null=True, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", help_text=_("IANA name, such as Europe/Zurich.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("silence")
        verbose_name_plural = _("silences")
        indexes = [models.Index(fields=["ends_at"], name="silence_ends")]

    def __str__(self) -> str:
        return self.comment or f"silence {self.pk}"

    @property
    def wrong(self) -> str:
        """Say why its matchers are useless or too broad, or ""."""
        return wrong_matchers(self.matchers, must_ask=True)

    def clean(self) -> None:
        if self.wrong:
            raise ValidationError({"matchers": self.wrong})
        if wrong := silence_times(self.starts_at, self.ends_at, self.weekdays, self.starts_time, self.ends_time):
            raise ValidationError(wrong)
