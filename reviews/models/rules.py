"""When a review is required."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.severity import Severity
from core.text.names import NameField, validate_unique_ci
from responders.models import ACTIVE, Team


class ReviewRule(models.Model):
    """Requires a review of resolved incidents from a severity on; the rule with the shortest time wins."""

    name = NameField(_("name"), max_length=100, unique=True)
    min_severity = models.PositiveSmallIntegerField(
        _("severity from"), choices=Severity.choices, default=Severity.CRITICAL
    )
    team = models.ForeignKey(
        Team,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="review_rules",
        limit_choices_to=ACTIVE,
        verbose_name=_("team"),
        help_text=_("Incidents of this team only."),
    )
    within_days = models.PositiveSmallIntegerField(
        _("days to complete"), default=5, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        ordering = ["-min_severity", "id"]
        verbose_name = _("review rule")
        verbose_name_plural = _("review rules")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a taken name."""
        validate_unique_ci(self, "name")
