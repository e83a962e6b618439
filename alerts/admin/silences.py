import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelect2Widget

from alerts import validation
from alerts.admin.fields import MATCHERS_HELP, MatchersField, checked, readable
from alerts.admin.routes import conditions_cell
from alerts.models import Alert, Silence
from alerts.services.ordering import end_silence, require_not_over
from alerts.services.rules import specs_of
from alerts.services.silencing import like
from core.backoffice.badges import ago
from core.backoffice.base import BackOfficeAdmin, RefusableForm
from incidents.admin.configuration import EndTimeField, LocalTimeField
from incidents.sla import format_closing_time
from users.admin.people import zone_choices
from users.models import User

USUAL = dt.timedelta(hours=2)


class SilenceForm(RefusableForm):
    class Meta:
        model = Silence
        fields = "__all__"
        help_texts = {"comment": _("Why these alerts are silenced.")}

    matchers = MatchersField(label=_("Matchers"), help_text=MATCHERS_HELP)
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        choices=WEEKDAYS.items(),
        coerce=int,
        required=False,
        empty_value=[],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Leave empty for a silence that is active throughout."),
    )
    starts_time = LocalTimeField(required=False, label=_("From"), help_text=_("Empty: the whole day."))
    ends_time = EndTimeField(
        required=False, label=_("To"), help_text=_("24:00 is midnight. Earlier than the start: on the next day.")
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, initial="UTC", widget=UnfoldAdminSelect2Widget
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        checked(self, "matchers", validation.matchers)
        return cleaned


class ActiveFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    """Active and planned, or expired."""

    title, parameter_name = _("time"), "time"
    all_option = ["", _("Active or planned")]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("over", gettext("Expired")), ("any", gettext("All"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Silence]) -> QuerySet[Silence]:
        if self.value() == "any":
            return queryset
        now = timezone.now()
        return queryset.filter(ends_at__lte=now) if self.value() == "over" else queryset.filter(ends_at__gt=now)


@admin.register(Silence)
class SilenceAdmin(BackOfficeAdmin):
    """Silences; what fires at their end opens its incident then."""

    form = SilenceForm
    ordering = ("-id",)
    list_display = ("what", "state", "conditions", "starts", "ends", "repeat", "created_by")
    list_display_links = ("what",)
    list_select_related = ("created_by",)
    list_filter = (ActiveFilter,)
    actions = ("end_now",)
    fieldsets = (
        (None, {"fields": ("matchers", "comment", "starts_at", "ends_at")}),
        (
            _("Weekly"),
            {"fields": ("weekdays", ("starts_time", "ends_time"), "time_zone"), "classes": ["collapse"]},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Silence | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            is_weekly = obj is not None and bool(obj.weekdays)
            return [(title, {**options, "classes": []}) for title, options in fieldsets] if is_weekly else fieldsets
        return [*readable(fieldsets[:1], matchers="conditions"), (None, {"fields": ("repeat", "maker")})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Suggest two hours, and alerts like the one shown."""
        user: User = request.user  # type: ignore[assignment]
        initial = {"ends_at": timezone.now() + USUAL, "time_zone": user.time_zone or "UTC"}
        number = request.GET.get("alert", "")
        if number.isascii() and number.isdigit():
            alert = Alert.objects.visible_to(user).filter(pk=int(number[:15])).select_related("source").first()
            if alert is not None:
                initial["matchers"] = like(alert)
                if len(initial["matchers"]) == 1:
                    messages.warning(
                        request,
                        gettext("The alert has no labels: this silences all alerts from %(source)s.")
                        % {"source": alert.source},
                    )
        return initial

    def save_model(self, request: HttpRequest, obj: Silence, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        else:
            require_not_over(Silence.objects.select_for_update().get(pk=obj.pk))
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Silence | None = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request))

    @admin.action(description=_("End now"), permissions=["end"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Silence]) -> None:
        user: User = request.user  # type: ignore[assignment]
        chosen = list(queryset.order_by("pk"))
        mine = [silence for silence in chosen if user.is_admin or silence.created_by_id == user.pk]
        for silence in mine:
            end_silence(silence, by=user)
        if mine:
            text = ngettext("%(number)d silence ended.", "%(number)d silences ended.", len(mine))
            note = gettext("Alerts that still fire open their incidents now.")
            messages.success(request, f"{text % {'number': len(mine)}} {note}")
        if len(mine) < len(chosen):
            text = gettext("%(number)d skipped: you can end only your own silences.")
            messages.error(request, text % {"number": len(chosen) - len(mine)})

    @admin.display(description=_("Silence"))
    def what(self, silence: Silence) -> SafeString:
        return format_html('<span class="ir-title">{}</span>', str(silence))

    @admin.display(description=_("State"))
    def state(self, silence: Silence) -> SafeString | str:
        now = timezone.now()
        if specs_of([silence])[0].is_active(now):
            return format_html('<span class="ir-badge ir-status-on_hold">{}</span>', gettext("active"))
        if silence.ends_at <= now:
            return format_html('<span class="ir-badge">{}</span>', gettext("expired"))
        word = gettext("inactive until its next time") if silence.starts_at <= now else gettext("planned")
        return format_html('<span class="ir-badge ir-severity-low">{}</span>', word)

    @admin.display(description=_("Matchers"))
    def conditions(self, silence: Silence) -> SafeString | str:
        return conditions_cell(silence)

    @admin.display(description=_("From"))
    def starts(self, silence: Silence) -> SafeString | str:
        return ago(silence.starts_at)

    @admin.display(description=_("Until"))
    def ends(self, silence: Silence) -> SafeString | str:
        return ago(silence.ends_at)

    @admin.display(description=_("Created by"))
    def maker(self, silence: Silence) -> str:
        """Name the maker unlinked: their page is for administrators."""
        return str(silence.created_by or "")

    @admin.display(description=_("Weekly"))
    def repeat(self, silence: Silence) -> str:
        if not silence.weekdays:
            return ""
        days = ", ".join(str(WEEKDAYS_ABBR[day]) for day in silence.weekdays if 0 <= day <= 6)
        if silence.starts_time is None and silence.ends_time is None:
            return days
        begin = f"{silence.starts_time:%H:%M}" if silence.starts_time else "00:00"
        return f"{days} {begin}–{format_closing_time(silence.ends_time or dt.time.min)} {silence.time_zone}"
