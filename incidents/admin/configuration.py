"""Admin pages of categories, SLA policies and rules for reports."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from core.backoffice.badges import severity_badge, span
from core.backoffice.base import BackOfficeAdmin, RefusableForm, RetirableAdmin
from incidents.models import Category, ReportRule, SlaPolicy
from incidents.models.rules import wrong_words
from incidents.services.report_rules import next_position
from incidents.sla import MIDNIGHT, format_closing_time, is_midnight
from users.admin.people import zone_choices


@admin.register(Category)
class CategoryAdmin(RetirableAdmin, BackOfficeAdmin):
    """Categories."""

    ordering = ("name",)
    list_display = ("name", "slug", "default_team", "description", "state")
    list_select_related = ("default_team",)
    search_fields = ("name__icontains", "slug__istartswith")
    sortable_by = ("name",)
    autocomplete_fields = ("default_team",)
    fields = ("name", "slug", "default_team", "description", "is_active")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, tuple[str, ...]]:
        """Derive the slug from the name of a new category only, because programs rely on it."""
        return {} if obj or not self.has_change_permission(request) else {"slug": ("name",)}


class HolidaysField(forms.CharField):
    """Days off, as lines of text."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4, "placeholder": "2027-01-01"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the dates in order, each once."""
        days = set()
        for word in str(value or "").replace(",", " ").split():
            try:
                days.add(dt.date.fromisoformat(word).isoformat())
            except ValueError as error:
                raise forms.ValidationError(
                    _("%(word)s is not a date; enter one date per line, such as 2027-01-01.") % {"word": word}
                ) from error
        return sorted(days)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class LocalTimeField(forms.TimeField):
    """A time in the policy's zone; Django's widget would use the browser's."""

    widget = UnfoldAdminTextInputWidget(attrs={"type": "time"})

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat("minutes") if isinstance(value, dt.time) else value


class EndTimeField(LocalTimeField):
    """A closing time, as text, because browsers' time fields lack 24:00."""

    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": MIDNIGHT, "inputmode": "numeric"})

    def prepare_value(self, value: Any) -> Any:
        return format_closing_time(value) if isinstance(value, dt.time) else value

    def to_python(self, value: Any) -> Any:
        """Return midnight as 00:00."""
        said = value.strip() if isinstance(value, str) else value
        return dt.time.min if is_midnight(said) else super().to_python(said)


class PolicyForm(RefusableForm):
    """Targets and business hours."""

    class Meta:
        model = SlaPolicy
        fields = "__all__"
        labels = {
            "ack_minutes": gettext_lazy("Acknowledge within"),
            "resolve_minutes": gettext_lazy("Resolve within"),
        }

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), choices=zone_choices, initial="UTC", widget=UnfoldAdminSelect2Widget
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Weekdays"),
        choices=WEEKDAYS.items(),
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    opens_at = LocalTimeField(
        label=gettext_lazy("Opening time"), initial=dt.time(9), help_text=gettext_lazy("In the policy's time zone.")
    )
    closes_at = EndTimeField(
        label=gettext_lazy("Closing time"),
        initial=dt.time(17),
        help_text=gettext_lazy("24:00 is midnight. A time before the opening time is on the next day (night shifts)."),
    )
    holidays = HolidaysField(
        label=gettext_lazy("Holidays"), required=False, help_text=gettext_lazy("Days off, one per line.")
    )

    def clean(self) -> dict[str, Any] | None:
        """Refuse a second policy for a severity and category; the constraint's column is on no form."""
        cleaned = super().clean() or {}
        same = SlaPolicy.objects.filter(severity=cleaned.get("severity", 0), category=cleaned.get("category"))
        other = same.exclude(pk=self.instance.pk).first()
        if other is not None:
            self.add_error("severity", _("%(policy)s already covers this severity and category.") % {"policy": other})
        return cleaned


@admin.register(SlaPolicy)
class SlaPolicyAdmin(BackOfficeAdmin):
    """Policies; a change applies to incidents that open or reopen later."""

    form = PolicyForm
    ordering = ("-severity", "id")
    list_display = ("name", "severity_column", "category", "acknowledge_within", "resolve_within", "hours")
    list_select_related = ("category",)
    list_filter = (("severity", ChoicesDropdownFilter),)
    search_fields = ("name__icontains",)
    sortable_by = ("severity_column",)
    fieldsets = (
        (None, {"fields": ("name", ("severity", "category"))}),
        (gettext_lazy("Targets (minutes)"), {"fields": (("ack_minutes", "resolve_minutes"),)}),
        (
            gettext_lazy("Business hours"),
            {"fields": ("is_round_the_clock", "time_zone", "weekdays", ("opens_at", "closes_at"), "holidays")},
        ),
    )

    @admin.display(description=gettext_lazy("Severity"), ordering="severity")
    def severity_column(self, policy: SlaPolicy) -> str:
        return severity_badge(policy.severity)

    @admin.display(description=gettext_lazy("Acknowledge within"))
    def acknowledge_within(self, policy: SlaPolicy) -> str:
        return span(policy.ack_minutes * 60) if policy.ack_minutes else _("no target")

    @admin.display(description=gettext_lazy("Resolve within"))
    def resolve_within(self, policy: SlaPolicy) -> str:
        return span(policy.resolve_minutes * 60) if policy.resolve_minutes else _("no target")

    @admin.display(description=gettext_lazy("Hours"))
    def hours(self, policy: SlaPolicy) -> str:
        if policy.is_round_the_clock:
            return _("24/7")
        return f"{policy.opens_at:%H:%M}–{format_closing_time(policy.closes_at)} {policy.time_zone}"


class WordsField(forms.CharField):
    """Words or phrases, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        words = [" ".join(line.split()) for line in str(value or "").splitlines()]
        return [word for word in dict.fromkeys(words) if word]

    def validate(self, value: Any) -> None:
        if wrong := wrong_words(value):
            raise forms.ValidationError(wrong)

    def run_validators(self, value: Any) -> None:
        """Leave it to `validate`: these are for text."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (self.to_python(self.prepare_value(initial))))


class ReportRuleForm(RefusableForm):
    class Meta:
        model = ReportRule
        fields = "__all__"

    words = WordsField(
        label=gettext_lazy("Words"),
        required=False,
        help_text=gettext_lazy("One word or phrase per line; one must be in the title or description, as whole words."),
    )


@admin.register(ReportRule)
class ReportRuleAdmin(BackOfficeAdmin):
    """Rules for reports: the first match decides, so order matters."""

    form = ReportRuleForm
    ordering = ("position", "id")
    list_display = ("name", "position", "is_enabled", "category", "service", "location", "team", "severity_column")
    list_select_related = ("category", "service", "team")
    search_fields = ("name__icontains",)
    autocomplete_fields = ("category", "service", "team")
    fieldsets = (
        (None, {"fields": (("name", "is_enabled"), "position")}),
        (gettext_lazy("Reports"), {"fields": (("category", "service"), "location", "words")}),
        (gettext_lazy("Action"), {"fields": (("team", "severity"),)}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        return {"position": next_position(), **super().get_changeform_initial_data(request)}

    @admin.display(description=gettext_lazy("Severity"))
    def severity_column(self, rule: ReportRule) -> str:
        return severity_badge(rule.severity) if rule.severity else "–"
