"""The pages of categories and service-level policies."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from core.backoffice.badges import severity_badge, span
from core.backoffice.base import BackOfficeAdmin, RefusableForm, RetirableAdmin
from incidents.models import Category, SlaPolicy
from incidents.sla import MIDNIGHT, format_closing_time, is_midnight
from users.admin.people import zone_choices

WEEKDAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")))


@admin.register(Category)
class CategoryAdmin(RetirableAdmin, BackOfficeAdmin):
    """Kinds of incidents and who gets them."""

    ordering = ("name",)
    list_display = ("name", "slug", "default_team", "description", "state")
    list_select_related = ("default_team",)
    search_fields = ("name__icontains", "slug__istartswith")
    sortable_by = ("name",)
    autocomplete_fields = ("default_team",)
    fields = ("name", "slug", "default_team", "description", "is_active")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, tuple[str, ...]]:
        """The slug follows the name until the category exists; programs rely on it afterwards."""
        return {} if obj or not self.has_change_permission(request) else {"slug": ("name",)}


class HolidaysField(forms.CharField):
    """Days off as lines of text; a list of ISO dates in the model."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4, "placeholder": "2027-01-01"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The dates in order, each once."""
        days = set()
        for word in str(value or "").replace(",", " ").split():
            try:
                days.add(dt.date.fromisoformat(word).isoformat())
            except ValueError as error:
                raise forms.ValidationError(f"{word} is not a day; write them as 2027-01-01, one a line.") from error
        return sorted(days)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class LocalTimeField(forms.TimeField):
    """A time of day in the policy's own zone; Django's widget would compare the browser's clock with the server's."""

    widget = UnfoldAdminTextInputWidget(attrs={"type": "time"})

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat("minutes") if isinstance(value, dt.time) else value


class EndTimeField(LocalTimeField):
    """One at which something ends, midnight included. Browsers' fields for times know no 24:00: it is one of text."""

    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": MIDNIGHT, "inputmode": "numeric"})

    def prepare_value(self, value: Any) -> Any:
        return format_closing_time(value) if isinstance(value, dt.time) else value

    def to_python(self, value: Any) -> Any:
        """Midnight is stored as 00:00."""
        said = value.strip() if isinstance(value, str) else value
        return dt.time.min if is_midnight(said) else super().to_python(said)


class PolicyForm(RefusableForm):
    """Targets, and the calendar they count in."""

    class Meta:
        model = SlaPolicy
        fields = "__all__"

    time_zone = forms.ChoiceField(choices=zone_choices, initial="UTC", widget=UnfoldAdminSelect2Widget)
    weekdays = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS, coerce=int, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    opens_at = LocalTimeField(initial=dt.time(9), help_text="In the policy's time zone.")
    closes_at = EndTimeField(
        initial=dt.time(17), help_text="24:00 is midnight. Earlier than the beginning: on the next day (night shifts)."
    )
    holidays = HolidaysField(required=False, help_text="Days off, one a line.")

    def clean(self) -> dict[str, Any] | None:
        """One policy for a severity and category; the constraint is over a column that no form shows."""
        cleaned = super().clean() or {}
        same = SlaPolicy.objects.filter(severity=cleaned.get("severity", 0), category=cleaned.get("category"))
        other = same.exclude(pk=self.instance.pk).first()
        if other is not None:
            self.add_error("severity", f"{other} is the policy for this severity and category already.")
        return cleaned


@admin.register(SlaPolicy)
class SlaPolicyAdmin(BackOfficeAdmin):
    """How soon is soon enough. A change counts for incidents that open or reopen from now on."""

    form = PolicyForm
    ordering = ("-severity", "id")
    list_display = ("name", "severity_shown", "category", "acknowledge_within", "resolve_within", "hours")
    list_select_related = ("category",)
    list_filter = (("severity", ChoicesDropdownFilter),)
    search_fields = ("name__icontains",)
    sortable_by = ("severity_shown",)
    fieldsets = (
        (None, {"fields": ("name", ("severity", "category"))}),
        ("Targets, in minutes", {"fields": (("ack_minutes", "resolve_minutes"),)}),
        (
            "When the clock runs",
            {"fields": ("is_round_the_clock", "time_zone", "weekdays", ("opens_at", "closes_at"), "holidays")},
        ),
    )

    @admin.display(description="Severity", ordering="severity")
    def severity_shown(self, policy: SlaPolicy) -> str:
        return severity_badge(policy.severity)

    @admin.display(description="Acknowledge within")
    def acknowledge_within(self, policy: SlaPolicy) -> str:
        return span(policy.ack_minutes * 60) if policy.ack_minutes else "no target"

    @admin.display(description="Resolve within")
    def resolve_within(self, policy: SlaPolicy) -> str:
        return span(policy.resolve_minutes * 60) if policy.resolve_minutes else "no target"

    @admin.display(description="Clock")
    def hours(self, policy: SlaPolicy) -> str:
        if policy.is_round_the_clock:
            return "round the clock"
        return f"{policy.opens_at:%H:%M}–{format_closing_time(policy.closes_at)} {policy.time_zone}"
