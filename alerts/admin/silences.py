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
from unfold.contrib.filters.admin import DropdownFilter
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelect2Widget

from alerts import validation
from alerts.admin.fields import MATCHERS_HELP, MatchersField, checked, readable
from alerts.admin.routes import shown
from alerts.models import Alert, Silence
from alerts.services.ordering import end_silence, require_not_over
from alerts.services.rules import specs_of
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
        help_texts = {"comment": "Why, for those who wonder."}

    matchers = MatchersField(label="Which alerts", help_text=MATCHERS_HELP)
    weekdays = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS.items(),
        coerce=int,
        required=False,
        empty_value=[],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None: it keeps quiet all the time from start to end.",
    )
    starts_time = LocalTimeField(required=False, label="From", help_text="Empty: the whole day.")
    ends_time = EndTimeField(
        required=False, label="To", help_text="24:00 is midnight. Earlier than the start: on the next day."
    )
    time_zone = forms.ChoiceField(choices=zone_choices, initial="UTC", widget=UnfoldAdminSelect2Widget)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        checked(self, "matchers", validation.matchers)
        return cleaned


class ActiveFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    """Active and planned, or expired."""

    title, parameter_name = "time", "time"
    all_option = ["", "Not over"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("over", "Over"), ("any", "All")]

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
            "Every week",
            {"fields": ("weekdays", ("starts_time", "ends_time"), "time_zone"), "classes": ["collapse"]},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Silence | None = None) -> Any:
        shown = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return shown
        return [*readable(shown[:1], matchers="conditions"), (None, {"fields": ("repeat", "maker")})]

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
                        request, f"The alert has no labels to tell it by: this silences all of {alert.source}."
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

    @admin.action(description="End them now", permissions=["end"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Silence]) -> None:
        user: User = request.user  # type: ignore[assignment]
        chosen = list(queryset.order_by("pk"))
        mine = [silence for silence in chosen if user.is_admin or silence.created_by_id == user.pk]
        for silence in mine:
            end_silence(silence, by=user)
        if mine:
            messages.success(request, f"{len(mine)} ended. What fires still opens its incident now.")
        if len(mine) < len(chosen):
            messages.error(request, f"{len(chosen) - len(mine)} left alone: others made them.")

    @admin.display(description="Silence")
    def what(self, silence: Silence) -> SafeString:
        return format_html('<span class="ir-title">{}</span>', str(silence))

    @admin.display(description="State")
    def state(self, silence: Silence) -> SafeString | str:
        now = timezone.now()
        if specs_of([silence])[0].is_active(now):
            return format_html('<span class="ir-badge ir-status-on_hold">{}</span>', "active now")
        if silence.ends_at <= now:
            return format_html('<span class="ir-badge">{}</span>', "over")
        word = "between times" if silence.starts_at <= now else "to come"
        return format_html('<span class="ir-badge ir-severity-low">{}</span>', word)

    @admin.display(description="Which alerts")
    def conditions(self, silence: Silence) -> SafeString | str:
        return shown(silence)

    @admin.display(description="From")
    def starts(self, silence: Silence) -> SafeString | str:
        return ago(silence.starts_at)

    @admin.display(description="Until")
    def ends(self, silence: Silence) -> SafeString | str:
        return ago(silence.ends_at)

    @admin.display(description="Made by")
    def maker(self, silence: Silence) -> str:
        """Name the maker unlinked: their page is for administrators."""
        return str(silence.created_by or "")

    @admin.display(description="Every week")
    def repeat(self, silence: Silence) -> str:
        if not silence.weekdays:
            return ""
        days = ", ".join(str(WEEKDAYS_ABBR[day]) for day in silence.weekdays if 0 <= day <= 6)
        if silence.starts_time is None and silence.ends_time is None:
            return days
        begin = f"{silence.starts_time:%H:%M}" if silence.starts_time else "00:00"
        return f"{days} {begin}–{format_closing_time(silence.ends_time or dt.time.min)} {silence.time_zone}"


def like(alert: Alert) -> list[dict[str, str]]:
    """Return matchers of its source and all labels, for people to widen."""
    labels = {"label.source" if name == "source" else name: value for name, value in sorted(alert.labels.items())}
    facts = {**labels, "source": alert.source.name}
    facts.pop("severity", None)
    written = [{"name": name, "op": "=", "value": value} for name, value in facts.items()]
    return [matcher for matcher in written if _can_be(matcher)][:20]


def _can_be(matcher: dict[str, str]) -> bool:
    try:
        validation.matchers([matcher])
    except ValueError:
        return False
    return True
