from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms.fields import ActiveRowField
from console.forms.seen import SeenForm
from core.severity import SEVERITY_WORDS, Severity
from incidents.models import Category, ReportRule
from incidents.models.rules import MAX_PHRASE, MAX_RULE_WORDS
from incidents.services.report_rules import Report
from responders.models import Service, Team

ANY = ("", _("Any"))
NONE = ("", _("None"))


class ReportRuleForm(SeenForm):
    """A rule for reports; its serializer judges the values."""

    name = forms.CharField(label=_("Name"), max_length=100)
    is_enabled = forms.BooleanField(label=_("Enabled"), required=False, initial=True)
    words = forms.CharField(
        label=_("Words or phrases"),
        required=False,
        max_length=MAX_RULE_WORDS * (MAX_PHRASE + 2),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One per line. One of them is in the title or description, as whole words, in any case."),
    )
    location = forms.CharField(
        label=_("Place contains"), required=False, max_length=200, help_text=_("Such as a building or a city.")
    )
    category = ActiveRowField(Category, key="slug", blank=ANY[1], label=_("Category"))
    service = ActiveRowField(Service, key="slug", blank=ANY[1], label=_("Affected service"))
    team = ActiveRowField(Team, blank=NONE[1], label=_("Team"))
    severity = forms.ChoiceField(
        label=_("Suggested severity"),
        choices=[NONE, *SEVERITY_WORDS],
        required=False,
        help_text=_("Used unless the reporter chooses one."),
    )

    def as_api(self) -> dict[str, Any]:
        """Return the form as the API takes it."""
        given = self.cleaned_data
        words = dict.fromkeys(" ".join(line.split()) for line in given["words"].splitlines())
        chosen = {name: given[name] or None for name in ("category", "service", "severity")}
        return {
            **{name: given[name] for name in ("name", "is_enabled", "location")},
            **chosen,
            "words": [word for word in words if word],
            "team": int(given["team"]) if given["team"] else None,
        }


def initial_of(rule: ReportRule) -> dict[str, Any]:
    """Return a rule as its form begins."""
    return {
        **{name: getattr(rule, name) for name in ("name", "is_enabled", "location")},
        "words": "\n".join(rule.words),
        "category": rule.category.slug if rule.category else "",
        "service": rule.service.slug if rule.service else "",
        "team": rule.team_id or "",
        "severity": Severity(rule.severity).word if rule.severity else "",
    }


class TrialForm(forms.Form):
    """A report to try."""

    title = forms.CharField(label=_("What is wrong?"), max_length=200)
    description = forms.CharField(label=_("What is seen"), max_length=2000, required=False)
    location = forms.CharField(label=_("Place"), max_length=200, required=False)
    category = ActiveRowField(Category, key="slug", blank=NONE[1], label=_("Category"))
    services = ActiveRowField(Service, key="slug", blank=NONE[1], label=_("Affected service"))

    def report(self) -> Report:
        given = self.cleaned_data
        category = Category.objects.filter(slug=given["category"]).first() if given["category"] else None
        services = list(Service.objects.filter(slug=given["services"])) if given["services"] else []
        return Report(given["title"], given["description"], given["location"], category, services)
