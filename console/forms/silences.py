import datetime as dt
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from alerts.models import Silence
from console.forms.fields import MatchersField, MomentField, zone_help
from console.forms.seen import SeenForm

USUAL = dt.timedelta(hours=2)


def zones() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(available_timezones())]


class TimeOfDayField(forms.CharField):
    widget = forms.TextInput(attrs={"type": "time"})


class SilenceForm(SeenForm):
    """A silence; its serializer judges the values."""

    matchers = MatchersField(
        label=_("Silence alerts where"),
        help_text=_("All rows must hold. Beside labels there are severity and source, the source's name."),
    )
    comment = forms.CharField(
        label=_("Comment"),
        max_length=500,
        required=False,
        help_text=_("Why, and whom to ask. A ticket's number helps."),
    )
    starts_at = MomentField(label=_("From"), required=False, help_text=_("Empty: now."))
    ends_at = MomentField(label=_("Until"))
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Only on these days"),
        choices=WEEKDAYS.items(),
        coerce=int,
        required=False,
        empty_value=[],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("For a maintenance window that repeats every week. None: active throughout."),
    )
    starts_time = TimeOfDayField(label=_("From, each day"), required=False, help_text=_("Empty: the whole day."))
    ends_time = TimeOfDayField(
        label=_("To, each day"), required=False, help_text=_("Earlier than the start: on the next day.")
    )
    time_zone = forms.ChoiceField(label=_("Time zone of these times"), choices=zones, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ends_at"].help_text = zone_help()

    def as_api(self, *, is_new: bool) -> dict[str, Any]:
        """Return the form as the API takes it."""
        given = self.cleaned_data
        times = {"ends_at": given["ends_at"]}
        if given["starts_at"] or not is_new:
            times["starts_at"] = given["starts_at"] or timezone.now()
        return {
            **times,
            "matchers": given["matchers"],
            "comment": given["comment"],
            "weekdays": given["weekdays"],
            "starts_time": given["starts_time"] or None,
            "ends_time": given["ends_time"] or None,
            "time_zone": given["time_zone"] or timezone.get_current_timezone_name(),
        }


def initial_of(silence: Silence) -> dict[str, Any]:
    """Return a silence as its form begins."""
    names = ("matchers", "comment", "starts_at", "ends_at", "weekdays", "time_zone")
    times = {
        name: f"{value:%H:%M}" if (value := getattr(silence, name)) is not None else ""
        for name in ("starts_time", "ends_time")
    }
    return {**{name: getattr(silence, name) for name in names}, **times}
