"""Forms of overrides and swaps: typed times are those of a zone, and those that the clocks repeat are asked about."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from core.text.zones import zone_named
from responders.lineups import WallTimeRefused, typed_instant
from responders.models import Schedule
from responders.oncall.walltime import wall_of
from responders.serializers.lineups import YEARS
from users.models import User

TYPED = "%Y-%m-%dT%H:%M"
Choices = list[tuple[Any, Any]]


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format=TYPED, **kwargs)


class MomentField(forms.CharField):
    """A time by the clocks of the form's zone."""

    widget = MomentInput


class ZonedForm(forms.Form):
    """A form whose times are those of `zone`."""

    zone = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone_name = zone
        self.choices: dict[str, list[str]] = {}

    def moment(self, name: str) -> dt.datetime | None:
        """Return a typed time's instant; one that is skipped or shown twice is an error, with both that it may mean."""
        text = str(self.data.get(f"{name}_is") or self.data.get(name) or "").strip()
        if not text:
            return None
        try:
            typed = parse_datetime(text)
        except ValueError:
            typed = None
        if typed is None or typed.year not in YEARS:
            self.add_error(name, _("Give a time such as 2026-11-30 09:00."))
            return None
        try:
            return typed_instant(typed, self.zone_name, name)
        except WallTimeRefused as refusal:
            self.choices[name] = refusal.extra["candidates"]
            self.add_error(name, _("The clocks change then: choose which time you mean."))
            return None

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for name, field in self.fields.items():
            if isinstance(field, MomentField) and name not in self.errors:
                given[name] = self.moment(name)
        return given

    def take(self, error: DomainError) -> None:
        """Show a service's refusal at its field."""
        names = {"from": "starts_at", "to": "ends_at", "everybody": "is_everybody"}
        name = names.get(error.field or "", error.field)
        self.add_error(name if name in self.fields else None, error.message)


def local_text(moment: dt.datetime | None, zone: str) -> str:
    """Return a time as its input takes it."""
    return wall_of(moment, zone_named(zone)).strftime(TYPED) if moment else ""


class OverrideForm(ZonedForm):
    starts_at = MomentField(label=gettext_lazy("From"))
    ends_at = MomentField(label=gettext_lazy("To"))
    add = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Who is on call then"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    other = forms.TypedChoiceField(
        label=gettext_lazy("Or somebody of another team"), coerce=int, empty_value=None, required=False
    )
    remove = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Who is relieved"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    is_everybody = forms.BooleanField(label=gettext_lazy("Relieve everybody else"), required=False)
    layer = forms.ChoiceField(
        label=gettext_lazy("Applies to"),
        required=False,
        help_text=gettext_lazy("In one layer, later layers still win over it."),
    )
    comment = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)

    def __init__(
        self, *args: Any, schedule: Schedule, on_call: Iterable[tuple[int, str]], layers: Iterable[str], **kw: Any
    ) -> None:
        super().__init__(*args, **kw)
        team, others = _people(schedule)
        present = dict(on_call)
        self._choose("add", [*team, *((key, name) for key, name in others if key in present)])
        self._choose("other", [("", _("nobody else")), *((key, name) for key, name in others if key not in present)])
        self._choose("remove", sorted(present.items(), key=lambda pair: pair[1]))
        self._choose("layer", [("", _("the result of all layers")), *((name, name) for name in layers)])

    def _choose(self, name: str, choices: Choices) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def fields_for_api(self) -> dict[str, Any]:
        """Return what was given as the API takes it."""
        given = self.cleaned_data
        added = [*given["add"], *([given["other"]] if given["other"] else [])]
        return {
            "from": given["starts_at"].isoformat(),
            "to": given["ends_at"].isoformat(),
            "add": added,
            "remove": [user for user in given["remove"] if user not in added],
            "everybody": given["is_everybody"],
            "layer": given["layer"],
            "comment": given["comment"],
        }


class SwapForm(ZonedForm):
    starts_at = MomentField(label=gettext_lazy("From"))
    ends_at = MomentField(label=gettext_lazy("To"))
    comment = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)


def _people(schedule: Schedule) -> tuple[Choices, Choices]:
    """Return the schedule's team and everybody else who can be on call."""
    people = list(User.objects.can_respond().order_by("name", "pk").values_list("pk", "name"))
    members = set(schedule.team.memberships.values_list("user", flat=True)) if schedule.team else set()
    return [one for one in people if one[0] in members], [one for one in people if one[0] not in members]
