"""Rules for reports."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.severity import Severity
from core.text.names import NameField, validate_unique_ci
from incidents.models.configuration import Category
from responders.models import ACTIVE, Service, Team

MAX_RULE_WORDS = 50
MAX_PHRASE = 100  # characters


class ReportRule(models.Model):
    """Which team gets matching reports, and the severity they are suggested; the first match decides each."""

    name = NameField(_("name"), max_length=100, unique=True)
    position = models.PositiveIntegerField(
        _("position"), default=0, db_index=True, help_text=_("Lower positions are evaluated first.")
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="report_rules",
        limit_choices_to=ACTIVE,
        help_text=_("Reports of this category only."),
    )
    service = models.ForeignKey(
        Service,
        verbose_name=_("service"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="report_rules",
        limit_choices_to=ACTIVE,
        help_text=_("Reports that affect this service only."),
    )
    location = models.CharField(
        _("location"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("Reports whose location contains this text only."),
    )
    words = models.JSONField(
        _("words"),
        default=list,
        blank=True,
        help_text=_("Reports only whose title or description has one of these words or phrases, as whole words."),
    )
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="report_rules",
        limit_choices_to=ACTIVE,
        help_text=_("Gets the reports that nobody gave a team."),
    )
    severity = models.PositiveSmallIntegerField(
        _("severity"),
        choices=Severity.choices,
        null=True,
        blank=True,
        help_text=_("Suggested to the reporter, and given to reports without a severity."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("report rule")
        verbose_name_plural = _("report rules")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a taken name, words without letters, and a rule that decides nothing."""
        validate_unique_ci(self, "name")
        if wrong := wrong_words(self.words):
            raise ValidationError({"words": wrong})
        if self.location and not has_letters(self.location):
            raise ValidationError({"location": _("Give a word to look for.")})
        if self.team_id is None and self.severity is None:
            raise ValidationError({"team": _("Choose a team, a severity or both.")})


def wrong_words(words: Any) -> str:
    """Say what is wrong with a rule's words, or ""."""
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return gettext("Give a list of words or phrases.")
    if len(words) > MAX_RULE_WORDS:
        return gettext("A rule takes at most %(most)s words.") % {"most": MAX_RULE_WORDS}
    if (wrong := next((word for word in words if len(word) > MAX_PHRASE or not has_letters(word)), None)) is not None:
        return gettext("“%(word)s” is too long, or has no letters or digits.") % {"word": wrong[:MAX_PHRASE]}
    return ""


def has_letters(text: str) -> bool:
    """Return whether there is anything to look for."""
    return any(map(str.isalnum, text))
