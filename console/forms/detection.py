from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.forms.fields import NamesField
from console.forms.seen import SeenForm
from core.severity import SEVERITY_WORDS
from logs.models import DetectionRule, Mode
from logs.sources import INTERNAL, kinds
from logs.sources.outside import stores
from logs.vocabulary import LEVEL_OF_WORD, LEVEL_WORDS, Level

format_html_lazy = lazy(format_html, SafeString)
HOURS = ((1, _("the last hour")), (6, _("the last 6 hours")), (24, _("the last 24 hours")), (168, _("the last 7 days")))
MODES = (
    (Mode.THRESHOLD, _("when enough lines match within a window")),
    (Mode.IMMEDIATE, _("at once, for every matching line")),
)
# Which of both is seen follows from the chosen store (signals.css).
QUERY_HELP = format_html_lazy(
    '<span class="only-ours">{}</span><span class="only-elsewhere">{}</span>',
    _("Words, phrases in quotes, /patterns/, name:value; empty: every line."),
    _("In the store's own language, such as:"),
)


class RuleForm(SeenForm):
    """A detection rule; its serializer judges the values."""

    name = forms.CharField(label=_("Name"), max_length=100)
    store = forms.ChoiceField(label=_("Where to look"), required=False, initial=INTERNAL)
    query = forms.CharField(
        label=_("Query"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none", "class": "mono"}),
        help_text=QUERY_HELP,
    )
    level = forms.ChoiceField(label=_("Of at least level"), choices=[("", _("Any")), *LEVEL_WORDS], required=False)
    service = forms.CharField(label=_("Of service"), max_length=100, required=False, help_text=_("Empty: any."))
    mode = forms.ChoiceField(label=_("Raise an alert"), choices=MODES, widget=forms.RadioSelect, initial=Mode.THRESHOLD)
    threshold = forms.IntegerField(label=_("From this many lines"), min_value=1, initial=1)
    window_seconds = forms.IntegerField(label=_("within (seconds)"), min_value=1, initial=300, required=False)
    check_interval_seconds = forms.IntegerField(label=_("looked at every (seconds)"), min_value=1, initial=60)
    group_by = NamesField(
        label=_("One alert for each"),
        required=False,
        help_text=_(
            "Any of service, host, level, template, attributes.name; of another store, its fields. Empty: one for all."
        ),
    )
    severity = forms.ChoiceField(label=_("Severity"), choices=[*reversed(SEVERITY_WORDS)], initial="medium")
    is_enabled = forms.BooleanField(label=_("Enabled"), required=False, initial=True)
    hours = forms.TypedChoiceField(label=_("Try it on"), choices=HOURS, coerce=int, initial=24, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].choices = store_choices()  # type: ignore[attr-defined]

    def clean_query(self) -> str:
        return str(self.cleaned_data["query"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        given["store"] = given.get("store") or self.initial.get("store") or INTERNAL
        if given["store"] == INTERNAL and not given.get("window_seconds") and "window_seconds" not in self.errors:
            self.add_error("window_seconds", self.fields["window_seconds"].error_messages["required"])
        return given

    def as_api(self) -> dict[str, Any]:
        """Return the form as the API takes it; what only our own lines have is left out for other stores."""
        given = self.cleaned_data
        names = ("name", "query", "store", "threshold", "check_interval_seconds", "group_by", "severity", "is_enabled")
        shared = {name: given[name] for name in names}
        window = {"window_seconds": given["window_seconds"] or given["check_interval_seconds"]}
        if given["store"] != INTERNAL:
            return {**shared, **window, "level": None, "service": "", "mode": Mode.THRESHOLD}
        ours = {"level": given["level"] or None, "service": given["service"], "mode": given["mode"]}
        return {**shared, **window, **ours}


def store_choices() -> list[tuple[str, Any]]:
    """Return the kinds of stores, and which are not set up."""
    unusable = {store.kind for store in stores() if store.why_unusable()}
    return [
        (kind, format_lazy(_("{store} (not set up)"), store=title) if kind in unusable else title)
        for kind, title in kinds()
    ]


def initial_from(template: dict[str, Any]) -> dict[str, Any]:
    """Return a rule as a template begins it."""
    names = ("store", "query", "threshold", "severity", "check_interval_seconds", "window_seconds")
    return {**{name: template[name] for name in names}, "name": template["title"], "group_by": [*template["group_by"]]}


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
