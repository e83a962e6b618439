"""Schedules: line-ups with their versions, and what people arrange on top of them."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.text.names import NameField, validate_unique_ci
from responders.models.teams import ACTIVE, ActiveQuerySet, Team


class Schedule(models.Model):
    """Who is on call when: versions of layers, overrides, imported calendars."""

    name = NameField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True, default="")
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="schedules",
        limit_choices_to=ACTIVE,
        help_text=_("Its members may make overrides and swaps, and are told of gaps."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        help_text=_("IANA name, such as Europe/Zurich; hand-overs follow its clocks."),
    )
    holidays = models.CharField(
        _("holidays"),
        max_length=16,
        blank=True,
        default="",
        help_text=_("Country whose public holidays the fairness report counts, such as CH or CH-ZH."),
    )
    announces_gaps = models.BooleanField(
        _("gap notices"),
        default=True,
        help_text=_("Clear if it is intended that nobody is on call at times: gaps are shown but announced to nobody."),
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Clear to retire it: it keeps its history, and has nobody on call.")
    )
    # Rises with everything that changes who is on call; SEQUENCE in calendars.
    revision = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ActiveQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        from responders.validation import refuse_unknown_region, refuse_unknown_zone

        validate_unique_ci(self, "name")
        refuse_unknown_zone(self.time_zone)
        refuse_unknown_region(self.holidays)


class ScheduleVersion(models.Model):
    """A line-up from `effective_from` until `superseded_at`; what has begun is never changed."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="versions")
    effective_from = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    time_zone = models.CharField(max_length=64)
    layers = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["schedule", "effective_from"]
        constraints = [models.UniqueConstraint(fields=["schedule", "effective_from"], name="version_once")]

    def __str__(self) -> str:
        return f"{self.schedule} from {self.effective_from:%Y-%m-%d %H:%M}"


class ScheduleOverride(models.Model):
    """People added or removed for a while, in one layer or in the result; newer ones win."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    layer = models.CharField(max_length=100, blank=True, default="")
    add = models.JSONField(default=list, blank=True)
    remove = models.JSONField(default=list, blank=True)
    is_everybody = models.BooleanField(
        _("removes everybody"),
        default=False,
        help_text=_("Everybody else is off; with nobody added, nobody is on call."),
    )
    comment = models.CharField(max_length=200, blank=True, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("override")
        indexes = [models.Index(fields=["schedule", "ends_at"], name="override_end")]

    def __str__(self) -> str:
        return f"override {self.pk} of {self.schedule}"


class SwapState(models.TextChoices):
    OPEN = "open", _("Open")
    TAKEN = "taken", _("Taken")
    APPROVED = "approved", _("Approved")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ShiftSwap(models.Model):
    """Somebody asks to be relieved; once taken and approved it is an override."""

    schedule = models.ForeignKey(Schedule, verbose_name=_("schedule"), on_delete=models.CASCADE, related_name="swaps")
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("requester"), on_delete=models.PROTECT, related_name="+"
    )
    starts_at = models.DateTimeField(
        _("starts at"),
    )
    ends_at = models.DateTimeField(
        _("ends at"),
    )
    comment = models.CharField(_("comment"), max_length=200, blank=True, default="")
    state = models.CharField(_("state"), max_length=16, choices=SwapState.choices, default=SwapState.OPEN)
    taker = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("taker"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("approved by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    override = models.OneToOneField(ScheduleOverride, null=True, on_delete=models.SET_NULL, related_name="swap")
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("shift swap")
        verbose_name_plural = _("shift swaps")

    def __str__(self) -> str:
        return f"swap {self.pk} of {self.schedule}"


class GapStage(models.TextChoices):
    WEEK = "week", _("7 days ahead")
    DAY = "day", _("24 hours ahead")
    START = "start", _("at the start")


class GapNotice(models.Model):
    """A gap that was announced, so that nobody is told twice."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="gap_notices")
    gap_starts_at = models.DateTimeField()
    stage = models.CharField(max_length=8, choices=GapStage.choices)
    announced_at = models.DateTimeField()

    class Meta:
        ordering = ["schedule", "gap_starts_at"]
        constraints = [models.UniqueConstraint(fields=["schedule", "gap_starts_at", "stage"], name="gap_notice_once")]

    def __str__(self) -> str:
        return f"gap of {self.schedule} at {self.gap_starts_at:%Y-%m-%d %H:%M}, {self.stage}"
