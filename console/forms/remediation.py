from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from console.forms.code import CodeField
from console.forms.seen import SeenForm
from console.forms.silences import zones
from console.oncall.forms import MomentField, ZonedForm, local_text
from remediation.models import FreezeWindow, Runbook, RunbookVersion
from remediation.steps.parameters import MAX_STRING, Parameter, ParameterKind
from remediation.vocabulary import Risk
from responders.models import Service, Team
from responders.validation import zone_or_utc

LIMITS = ("cooldown_seconds", "runbook_cooldown", "daily_cap", "daily_cap_per_target", "max_targets", "max_percent")


class ParametersForm(forms.Form):
    """The values of a run, each as its parameter's kind has it."""

    def __init__(self, data: Any, parameters: Sequence[Parameter], *, services: Iterable[str] = ()) -> None:
        super().__init__(data, prefix="p")
        first = next(iter(services), None)
        for one in parameters:
            self.fields[one.name] = _field_of(one, first)

    def values(self) -> dict[str, Any]:
        """Return what was given, without what was left empty."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    def add_faults(self, faults: Mapping[str, str]) -> None:
        for name, text in faults.items():
            self.add_error(name if name in self.fields else None, text)


def _field_of(one: Parameter, service: str | None) -> forms.Field:
    shared: dict[str, Any] = {"label": one.label or one.name, "initial": one.default, "required": one.default is None}
    if one.kind == ParameterKind.INTEGER:
        text = _("From %(least)d to %(most)d.") % {"least": one.minimum or 0, "most": one.maximum or 0}
        return forms.IntegerField(min_value=one.minimum, max_value=one.maximum, help_text=text, **shared)
    if one.kind == ParameterKind.BOOLEAN:
        shared["required"] = False
        return forms.BooleanField(**shared)
    if one.kind == ParameterKind.CHOICE:
        return forms.ChoiceField(choices=_choices(zip(one.choices, one.choices, strict=True), one), **shared)
    if one.kind == ParameterKind.SERVICE:
        names = Service.objects.active().order_by("name").values_list("slug", "name")
        shared["initial"] = one.default or service
        return forms.ChoiceField(choices=_choices(names, one), **shared)
    text = _("Must match %(pattern)s.") % {"pattern": one.pattern}
    return forms.CharField(max_length=MAX_STRING, strip=False, help_text=text, **shared)


def _choices(values: Iterable[tuple[str, str]], one: Parameter) -> list[tuple[str, str]]:
    return [*values] if one.default is not None else [("", "—"), *values]


class RunbookForm(SeenForm):
    """A runbook; the service judges what it does, as a whole."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(
        label=gettext_lazy("When it helps"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    is_enabled = forms.BooleanField(label=gettext_lazy("Enabled"), required=False, initial=True)
    risk = forms.ChoiceField(
        label=gettext_lazy("Who approves"),
        choices=[
            (Risk.A, gettext_lazy("Class A: also whoever proposed it, if they may approve")),
            (Risk.B, gettext_lazy("Class B: somebody other than who proposed it")),
        ],
        widget=forms.RadioSelect,
        initial=Risk.B,
    )
    parameters = CodeField(
        label=gettext_lazy("Parameters"),
        required=False,
        help_text=gettext_lazy("A list; kinds are string, integer, boolean, choice and service."),
    )
    steps = CodeField(
        label=pgettext_lazy("runbook", "Steps"),
        help_text=gettext_lazy("A list, done in this order; {name} is a parameter's value."),
    )
    max_targets = forms.IntegerField(label=gettext_lazy("Most targets"), initial=1)
    max_percent = forms.IntegerField(
        label=gettext_lazy("Most targets, % of all"),
        required=False,
        help_text=gettext_lazy("Empty: 50, or no limit where no step can tell how many there are, as with HTTP."),
    )
    cooldown_seconds = forms.IntegerField(label=gettext_lazy("Cool-down per target (seconds)"), initial=300)
    runbook_cooldown = forms.IntegerField(
        label=gettext_lazy("Cool-down of the runbook (seconds)"),
        required=False,
        help_text=gettext_lazy("Whatever the targets; empty: 300 for runs of class A by a rule, else none."),
    )
    daily_cap = forms.IntegerField(label=gettext_lazy("Runs a day"), initial=20)
    daily_cap_per_target = forms.IntegerField(label=gettext_lazy("Runs a day and target"), initial=3)
    automatic_for = CodeField(
        label=gettext_lazy("Proposes itself for"),
        required=False,
        help_text=gettext_lazy("services, severity_from, title_words; empty: never. Class A then executes by itself."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["automatic_for"].widget.attrs["rows"] = 3

    def as_service(self) -> dict[str, Any]:
        """Return the form as the service takes it."""
        given = self.cleaned_data
        plain = {name: given[name] for name in ("name", "description", "is_enabled", "risk", "steps", *LIMITS)}
        return {**plain, "parameters": given["parameters"] or [], "automatic_for": given["automatic_for"] or None}

    def add_faults(self, faults: Mapping[str, str]) -> None:
        """Put faults by place, such as `steps.0.act.url`, onto their fields."""
        for place, text in faults.items():
            name, *rest = place.split(".")
            self.add_error(name if name in self.fields else None, f"{_placed(name, rest)}{text}")


def _placed(name: str, rest: list[str]) -> str:
    if not rest:
        return ""
    number, *inner = rest
    if name not in ("steps", "parameters") or not number.isdigit():
        return f"{'.'.join(rest)}: "
    words = {"number": int(number) + 1, "place": ".".join(inner)}
    if name == "steps":
        return (_("Step %(number)d, %(place)s: ") if inner else _("Step %(number)d: ")) % words
    return (_("Parameter %(number)d, %(place)s: ") if inner else _("Parameter %(number)d: ")) % words


def initial_of(runbook: Runbook, version: RunbookVersion) -> dict[str, Any]:
    """Return a runbook as its form begins."""
    plain = {name: getattr(runbook, name) for name in ("name", "description", "is_enabled")}
    names = ("risk", "parameters", "steps", "automatic_for", *LIMITS)
    return {**plain, **{name: getattr(version, name) for name in names}}


class FreezeForm(SeenForm, ZonedForm):
    """A change freeze, in times of its own zone; its serializer judges the values."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    starts_at = MomentField(label=gettext_lazy("From"))
    ends_at = MomentField(label=gettext_lazy("Until"))
    is_weekly = forms.BooleanField(
        label=gettext_lazy("Every week"),
        required=False,
        help_text=gettext_lazy("At the same time by its zone's clock."),
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=zones)
    teams = forms.MultipleChoiceField(
        label=gettext_lazy("Only for these teams"),
        required=False,
        help_text=gettext_lazy("None of teams and services: for all."),
    )
    services = forms.MultipleChoiceField(
        label=gettext_lazy("Only for these services"),
        required=False,
        help_text=gettext_lazy("For runs that change one or are for an incident of one, and for their teams' runs."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = args[0] if args and args[0] is not None else kwargs.get("initial", {})
        super().__init__(*args, zone=zone_or_utc(given.get("time_zone")), **kwargs)
        for name, model in (("teams", Team), ("services", Service)):
            rows = model.objects.order_by("name").values_list("pk", "name")
            self.fields[name].choices = list(rows)  # type: ignore[attr-defined]

    def as_api(self) -> dict[str, Any]:
        given = {name: value for name, value in self.cleaned_data.items() if name not in ("seen", "zone")}
        return {**given, **{name: [int(one) for one in given[name]] for name in ("teams", "services")}}


def initial_of_freeze(window: FreezeWindow) -> dict[str, Any]:
    """Return a freeze window as its form begins."""
    plain = {name: getattr(window, name) for name in ("name", "is_weekly", "time_zone")}
    plain.update({name: local_text(getattr(window, name), window.time_zone) for name in ("starts_at", "ends_at")})
    rows = {name: sorted(getattr(window, name).values_list("pk", flat=True)) for name in ("teams", "services")}
    return {**plain, **rows}
