from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.forms.fields import NamesField
from console.forms.seen import SeenForm
from core.severity import SEVERITY_WORDS
from logs.models import DetectionRule, Mode
from logs.sources import INTERNAL
from logs.vocabulary import LEVEL_OF_WORD, LEVEL_WORDS, Level

HOURS = ((1, _("the last hour")), (6, _("the last 6 hours")), (24, _("the last 24 hours")), (168, _("the last 7 days")))
MODES = (
    (Mode.THRESHOLD, _("when enough lines match within a window")),
    (Mode.IMMEDIATE, _("at once, for every matching line")),
)


class RuleForm(SeenForm):
    """A detection rule; its serializer judges the values."""

    name = forms.CharField(label=_("Name"), max_length=100)
    query = forms.CharField(
        label=_("Lines that contain"),
        required=False,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none", "class": "mono"}),
        help_text=_("Words, phrases in quotes, /patterns/, name:value. Empty: every line."),
    )
    level = forms.ChoiceField(label=_("Of at least level"), choices=[("", _("Any")), *LEVEL_WORDS], required=False)
    service = forms.CharField(label=_("Of service"), max_length=100, required=False, help_text=_("Empty: any."))
    mode = forms.ChoiceField(label=_("Raise an alert"), choices=MODES, widget=forms.RadioSelect, initial=Mode.THRESHOLD)
    threshold = forms.IntegerField(label=_("From this many lines"), min_value=1, initial=1)
    window_seconds = forms.IntegerField(label=_("within (seconds)"), min_value=1, initial=300)
    check_interval_seconds = forms.IntegerField(label=_("looked at every (seconds)"), min_value=1, initial=60)
    group_by = NamesField(
        label=_("One alert for each"),
        required=False,
        help_text=_("Any of service, host, level, template, attributes.name. Empty: one for all."),
    )
    severity = forms.ChoiceField(label=_("Severity"), choices=[*reversed(SEVERITY_WORDS)], initial="medium")
    is_enabled = forms.BooleanField(label=_("Enabled"), required=False, initial=True)
    hours = forms.TypedChoiceField(label=_("Try it on"), choices=HOURS, coerce=int, initial=24, required=False)

    def as_api(self) -> dict[str, Any]:
        """Return the form as the API takes it."""
        given = self.cleaned_data
        names = ("name", "query", "service", "mode", "threshold", "window_seconds", "check_interval_seconds")
        others = {"level": given["level"] or None, "store": self.initial.get("store") or INTERNAL}
        return {**{name: given[name] for name in (*names, "group_by", "severity", "is_enabled")}, **others}


def initial_of(rule: DetectionRule) -> dict[str, Any]:
    """Return a rule as its form begins."""
    names = ("name", "query", "service", "mode", "threshold", "window_seconds", "check_interval_seconds", "group_by")
    plain = {name: getattr(rule, name) for name in (*names, "severity", "is_enabled", "store")}
    return {**plain, "level": Level(rule.level).word if rule.level else "", "hours": 24}


def initial_for(line: dict[str, Any], phrase: str) -> dict[str, Any]:
    """Return a rule for lines like one."""
    word = Level(line["level"]).word
    return {
        "query": f'"{phrase}"' if phrase else "",
        "level": word if word in LEVEL_OF_WORD else "",
        "service": line["service"],
        "name": phrase[:100],
        "hours": 24,
    }
