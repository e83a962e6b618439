import datetime as dt
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.db.fields import ExactCharField
from core.text.names import NameField, validate_unique_ci
from intake.models import Source
from logs.detection import ATTRIBUTE, GROUP_FIELDS, MAX_STEPS, Spec
from logs.models.entry import NAME_LENGTH
from logs.queries import QueryInvalid, parse, saved
from logs.sources import INTERNAL, kinds
from logs.sources.outside import Limits, store_of
from logs.vocabulary import Level

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MAX_GROUP_FIELDS = 5
FIELD_LENGTH = 100
DAY_SECONDS = 24 * 3600
OUTSIDE_QUERY_LENGTH = 4000
DEFAULT_INTERVAL = 60
LEAST_OUTSIDE_SECONDS = 10  # between searches elsewhere
ERROR_LENGTH = 500
TROUBLE = ("failures", "failing_since", "last_error", "is_failing")
MACHINERY = ("next_run_at", "evaluated_until", "changed_at", "state", *TROUBLE)
SETTLE_SECONDS = 5  # after a window's end, for late lines


class Mode(models.TextChoices):
    THRESHOLD = "threshold", _("Threshold")
    IMMEDIATE = "immediate", _("Immediate")


class RuleSeverity(models.TextChoices):
    CRITICAL = "critical", _("Critical")
    HIGH = "high", _("High")
    MEDIUM = "medium", _("Medium")
    LOW = "low", _("Low")


def _seconds_field(
    label: "_StrPromise", default: int, help_text: "_StrPromise"
) -> "models.PositiveIntegerField[int, int]":
    limits = [MinValueValidator(1), MaxValueValidator(DAY_SECONDS)]
    return models.PositiveIntegerField(label, default=default, validators=limits, help_text=help_text)


class DetectionRuleQuerySet(models.QuerySet["DetectionRule"]):
    def due(self, now: dt.datetime) -> "DetectionRuleQuerySet":
        """Select rules over our own lines whose next window has settled."""
        return self.filter(store=INTERNAL, next_run_at__lte=now).order_by("next_run_at")

    def due_elsewhere(self, now: dt.datetime) -> "DetectionRuleQuerySet":
        """Select rules over outside stores whose next window has settled, or failed a while ago."""
        return self.filter(next_run_at__lte=now).exclude(store=INTERNAL).order_by("next_run_at")

    def failing(self) -> "DetectionRuleQuerySet":
        """Select rules whose searches fail, long enough to be an alert."""
        return self.filter(is_enabled=True, is_failing=True)

    def immediate(self) -> "DetectionRuleQuerySet":
        """Select rules that look at lines as they arrive."""
        return self.filter(is_enabled=True, mode=Mode.IMMEDIATE)


class DetectionRule(models.Model):
    """Lines to look for, and how many within how long raise an alert.

    Services alone write `next_run_at`, `evaluated_until` (end of the last window), `state` (its `Tally`) and
    `changed_at`, the rule's version; of searches elsewhere `failures` (in a row), since when, the last error, and
    whether it `is_failing`: that is an alert of its own.
    """

    name = NameField(_("name"), max_length=NAME_LENGTH, unique=True)
    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices, default=Mode.THRESHOLD)
    query = models.CharField(
        _("query"),
        max_length=OUTSIDE_QUERY_LENGTH,
        blank=True,
        default="",
        help_text=_(
            "What a line must match. If empty, every line matches. Of another store: a search in its own language."
        ),
    )
    level = models.PositiveSmallIntegerField(
        _("level"),
        choices=Level.choices,
        null=True,
        blank=True,
        help_text=_("Only lines of at least this level. If empty, any level."),
    )
    service = ExactCharField(
        _("service"),
        max_length=NAME_LENGTH,
        blank=True,
        default="",
        help_text=_("Only lines of this service. If empty, any service."),
    )
    group_by = models.JSONField(
        _("group by"),
        default=list,
        blank=True,
        help_text=_(
            "Each combination of values is a separate alert: service, host, level, template, attributes.<name>. "
            "Of another store: names of fields of its rows."
        ),
    )
    severity = models.CharField(_("severity"), max_length=8, choices=RuleSeverity.choices, default=RuleSeverity.MEDIUM)
    threshold = models.PositiveIntegerField(
        _("threshold"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("Minimum number of lines in the window."),
    )
    window_seconds = _seconds_field(_("window seconds"), 300, _("Length of the window in seconds."))
    check_interval_seconds = _seconds_field(
        _("check interval seconds"), DEFAULT_INTERVAL, _("How often the window is evaluated, in seconds.")
    )
    store = models.CharField(
        _("store"), max_length=20, choices=kinds, default=INTERNAL, help_text=_("Where log lines are read from.")
    )
    source = models.ForeignKey(
        Source,
        verbose_name=_("source"),
        on_delete=models.PROTECT,
        related_name="detection_rules",
        help_text=_("The source of its alerts."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    is_builtin = models.BooleanField(default=False, editable=False)
    next_run_at = models.DateTimeField(null=True, editable=False, db_index=True)
    evaluated_until = models.DateTimeField(null=True, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    state = models.JSONField(default=dict, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=ERROR_LENGTH, blank=True, default="", editable=False)
    is_failing = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DetectionRuleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("detection rule")
        verbose_name_plural = _("detection rules")
        indexes = [models.Index(fields=["mode", "is_enabled"], name="rule_mode")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        validate_unique_ci(self, "name")
        if problem := _wrong_with_groups(self.group_by, self.store):
            raise ValidationError({"group_by": problem})
        if self.is_outside:
            check_outside(self)
            return
        try:
            saved(self.query)
        except QueryInvalid as error:
            raise ValidationError({"query": str(error)}) from error
        spec = self.spec
        if spec.window and spec.interval and spec.window // spec.step > MAX_STEPS:
            raise ValidationError(
                {
                    "check_interval_seconds": f"A window of {spec.window} s looked at every {spec.interval} s "
                    f"has more than {MAX_STEPS} steps; choose an interval that divides the window."
                }
            )

    @property
    def is_outside(self) -> bool:
        """Return whether another store is searched."""
        return self.store != INTERNAL

    @property
    def spec(self) -> Spec:
        """Return the rule for `logs.detection`. Raises QueryInvalid."""
        return Spec(
            id=self.pk or 0,
            query=parse("" if self.is_outside else self.query),
            level=self.level or 0,
            service=self.service,
            group_by=tuple(self.group_by),
            threshold=self.threshold,
            window=self.window_seconds,
            interval=self.check_interval_seconds,
        )


def check_outside(rule: DetectionRule) -> None:
    """Raise ValidationError for what no rule over an outside store can be."""
    try:
        store = store_of(rule.store)
    except KeyError as error:
        raise ValidationError({"store": _("There is no such store.")}) from error
    if rule.is_enabled and (reason := store.why_unusable()):
        raise ValidationError({"store": reason})
    refused = {
        "mode": rule.mode != Mode.THRESHOLD and _("Only lines stored here raise alerts at once; choose threshold."),
        "level": rule.level and _("Only lines stored here have this level; write it into the query."),
        "service": rule.service and _("Only lines stored here have this service; write it into the query."),
        "query": not rule.query.strip() and _("Write a query in the store's own language."),
        "threshold": rule.threshold > Limits().rows
        and _("A search reads %(rows)s rows at most; count in the query instead.") % {"rows": f"{Limits().rows:,}"},
        "check_interval_seconds": rule.check_interval_seconds < LEAST_OUTSIDE_SECONDS
        and _("Another store is searched every %(seconds)s seconds at most.") % {"seconds": LEAST_OUTSIDE_SECONDS},
    }
    if problems := {name: problem for name, problem in refused.items() if problem}:
        raise ValidationError(problems)
    try:
        store.validate(rule.query)
    except ValidationError as error:
        raise ValidationError({"query": error.messages}) from error


def _wrong_with_groups(names: object, store: str) -> str:
    if not isinstance(names, list) or len(names) > MAX_GROUP_FIELDS or len({str(name) for name in names}) != len(names):
        return f"Send a list of at most {MAX_GROUP_FIELDS} different field names."
    for name in names:
        if store != INTERNAL:
            if not isinstance(name, str) or not 0 < len(name.strip()) <= FIELD_LENGTH:
                return f"{name!r} is no name of a field."
            continue
        is_attribute = isinstance(name, str) and name.startswith(ATTRIBUTE) and len(ATTRIBUTE) < len(name)
        if not (is_attribute and len(name) <= FIELD_LENGTH) and name not in GROUP_FIELDS:
            return f"{name!r} is not one of {', '.join(GROUP_FIELDS)} or attributes.<name>."
    return ""
