"""Layers as people type them: a line per turn, a line per restriction."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from responders.serializers.lineups import WEEKDAYS
from users.models import User

NOBODY = "-"
SHORT = tuple(name[:3].capitalize() for name in WEEKDAYS)
HOURS = re.compile(r"(?P<days>.*?)\s*(?P<from>\d{1,2}:\d{2})\s*(?:-|–|to)\s*(?P<to>\d{1,2}:\d{2})")
UNITS = (("hours", _("hours")), ("days", _("days")), ("weeks", _("weeks")), ("months", _("months")))


class LayerForm(forms.Form):
    """One layer; an imported calendar takes the place of turns."""

    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget)
    turns = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_(
            "A line per turn: names or email addresses, with commas between people on call together; - is nobody."
        ),
    )
    calendar = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget, label=_("or from a calendar")
    )
    every = forms.IntegerField(min_value=1, initial=1, widget=UnfoldAdminIntegerFieldWidget, label=_("Change every"))
    unit = forms.ChoiceField(choices=UNITS, initial="weeks", widget=UnfoldAdminSelectWidget, label=_("of"))
    starts_at = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "2026-11-30T09:00"}),
        label=_("First turn begins"),
        help_text=_("By the schedule's clocks. Empty: today."),
    )
    time = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "09:00"}),
        label=_("Hand-over at"),
        help_text=_("Empty: at the time of day when the first turn begins."),
    )
    weekday = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("that of the first turn")), *((n, name.capitalize()) for n, name in enumerate(WEEKDAYS))],
        widget=UnfoldAdminSelectWidget,
        label=_("on"),
    )
    advance = forms.ChoiceField(
        choices=[("calendar", _("every turn")), ("active", _("turns with active hours only"))],
        widget=UnfoldAdminSelectWidget,
        label=_("Count"),
    )
    restrictions = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        label=_("Active hours"),
        help_text=_("A line each, such as Mon-Fri 09:00-17:00 or Sat Sun 00:00-24:00. Empty: always."),
    )

    def __init__(self, *args: Any, calendars: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["calendar"].choices = [("", _("none")), *calendars]  # type: ignore[attr-defined]

    def clean_turns(self) -> list[list[int]]:
        return [self._turn(line) for line in self.cleaned_data["turns"].splitlines() if line.strip()]

    def _turn(self, line: str) -> list[int]:
        words = [word.strip() for word in line.split(",") if word.strip() not in ("", NOBODY, "–")]
        return [_person(word) for word in words]

    def clean_restrictions(self) -> list[dict[str, Any]]:
        return [_hours(line.strip()) for line in self.cleaned_data["restrictions"].splitlines() if line.strip()]

    def layer(self) -> dict[str, Any]:
        """Return the layer as the API takes it."""
        given = self.cleaned_data
        if given["calendar"]:
            return {"name": given["name"], "calendar": given["calendar"]}
        hand_over = {name: given[name] for name in ("time", "weekday") if given[name] not in ("", None)}
        if given["unit"] in ("hours", "months"):
            hand_over.pop("weekday", None)
        found = {
            "name": given["name"],
            "users": given["turns"],
            "rotation": {"unit": given["unit"], "every": given["every"]},
            "hand_over": hand_over,
            "advance": given["advance"],
            "restrictions": given["restrictions"],
        }
        return found | ({"starts_at": given["starts_at"]} if given["starts_at"] else {})


class LayerFormSet(forms.BaseFormSet):  # type: ignore[type-arg]  # generic to type checkers only
    """Layers in order; later ones win."""

    def layers(self) -> list[dict[str, Any]]:
        kept = [form for form in self.ordered_forms if form.cleaned_data.get("name")]
        return [form.layer() for form in kept]  # type: ignore[attr-defined]


def initial_of(layer: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    """Return a stored layer as the form shows it."""
    if layer.get("calendar"):
        return {"name": layer["name"], "calendar": layer["calendar"]}
    return {
        "name": layer["name"],
        "turns": "\n".join(", ".join(names.get(user, str(user)) for user in turn) or NOBODY for turn in layer["users"]),
        "every": layer["rotation"]["every"],
        "unit": layer["rotation"]["unit"],
        "starts_at": layer["starts_at"],
        "time": layer["hand_over"]["time"],
        "weekday": layer["hand_over"]["weekday"],
        "advance": layer["advance"],
        "restrictions": "\n".join(_hours_shown(one) for one in layer["restrictions"]),
    }


def _person(word: str) -> int:
    people = User.objects.can_respond()
    found = list(people.filter(email=word.lower()).values_list("pk", flat=True)[:2]) or list(
        people.filter(name__iexact=word).values_list("pk", flat=True)[:2]
    )
    if len(found) != 1:
        problem = (
            _("Nobody is called %(word)s.")
            if not found
            else _("Several people are called %(word)s; use the email address.")
        )
        raise forms.ValidationError(problem, params={"word": word[:100]})
    return found[0]


def _hours(line: str) -> dict[str, Any]:
    match = HOURS.fullmatch(line)
    if match is None:
        raise forms.ValidationError(_("%(line)s is not like Mon-Fri 09:00-17:00."), params={"line": line[:100]})
    return {"weekdays": _days(match["days"]), "from": match["from"], "to": match["to"]}


def _days(text: str) -> list[int]:
    found: list[int] = []
    for word in re.split(r"[,\s]+", text.strip()) if text.strip() else []:
        first, _dash, last = word.partition("-")
        days = [_day(one) for one in (first, last) if one]
        found += [(days[0] + step) % 7 for step in range((days[-1] - days[0]) % 7 + 1)]
    return sorted(set(found)) or list(range(7))


def _day(word: str) -> int:
    for number, name in enumerate(WEEKDAYS):
        if len(word) >= 2 and name.startswith(word.lower()):
            return number
    raise forms.ValidationError(_("%(word)s is not a weekday."), params={"word": word[:100]})


def _hours_shown(one: dict[str, Any]) -> str:
    days = "" if len(one["weekdays"]) == 7 else " ".join(SHORT[day] for day in one["weekdays"]) + " "
    return f"{days}{one['from']}-{one['to']}"
