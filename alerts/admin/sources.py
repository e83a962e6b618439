import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from alerts import validation
from alerts.admin.fields import LabelNamesField, SeverityMapField, StatusMapField, TemplatesField, checked
from alerts.admin.source_pages import SourcePages, panel_of
from alerts.models import Alert, Heartbeat
from alerts.services.words import prune_known
from core.backoffice.badges import ago
from core.backoffice.base import BackOfficeAdmin, RefusableForm
from intake.models import IntakeEvent, Source
from intake.services.sources import clear_cache
from intake.vocabulary import IntakeState

LIMITED_LATELY = dt.timedelta(hours=24)


class SourceForm(RefusableForm):
    class Meta:
        model = Source
        fields = "__all__"
        labels = {
            "is_enabled": _("Enabled"),
            "reopen_minutes": _("Reopen within (minutes)"),
            "auto_resolve": _("Resolve automatically"),
            "heartbeat_minutes": _("Expected at least every (minutes)"),
            "expire_minutes": _("Alerts expire after (minutes)"),
            "rate_limit": _("Requests per minute"),
            "allow_other_endpoints": _("Accept its keys at other endpoints"),
        }
        help_texts = {"rate_limit": _("Requests above this rate are rejected with 429; most senders retry.")}

    group_by = LabelNamesField(
        label=_("Group by"),
        required=False,
        help_text=_(
            "Comma-separated label names. Alerts with the same values share one open incident. "
            "Leave empty to open one incident per alert."
        ),
    )
    severity_map = SeverityMapField(
        required=False,
        label=_("Severity mapping"),
        help_text=_("Map the sender's values to critical, high, medium or low, one per line."),
    )
    status_map = StatusMapField(
        required=False,
        label=_("Status mapping"),
        help_text=_("Map the sender's values to firing, resolved, acknowledged or ignore, one per line."),
    )
    templates = TemplatesField(
        required=False,
        help_text=_("Only for the generic webhook: where to find each field in the payload, one per line."),
    )
    signing_secret = forms.CharField(
        required=False,
        max_length=200,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "The secret the sender signs its requests with, if any. It is never shown again; leave empty to keep it."
        ),
    )
    remove_secret = forms.BooleanField(
        required=False, label=_("Remove the signing secret"), widget=UnfoldBooleanSwitchWidget
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        kind = self.cleaned_data.get("kind", "")
        checked(self, "templates", lambda value: validation.templates(value, kind))
        if self.cleaned_data.get("remove_secret"):
            self.cleaned_data["signing_secret"] = ""
        elif not self.cleaned_data.get("signing_secret"):
            self.cleaned_data["signing_secret"] = self.initial.get("signing_secret", "")
        return cleaned


class EnabledFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    title, parameter_name = _("state"), "enabled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("Enabled")), ("no", gettext("Disabled"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_enabled=self.value() == "yes") if self.value() else queryset


@admin.register(Source)
class SourceAdmin(SourcePages, BackOfficeAdmin):
    """Sources; a key is shown only when created."""

    form = SourceForm
    ordering = ("name", "id")
    list_display = ("name", "kind", "team", "state", "heard", "is_firing", "is_limited")
    list_select_related = ("team",)
    list_filter = (("kind", ChoicesDropdownFilter), EnabledFilter)
    search_fields = ("name__icontains",)
    sortable_by = ("name",)
    autocomplete_fields = ("team",)
    change_form_outer_before_template = "admin/alerts/source_panel.html"
    fieldsets = (
        (None, {"fields": (("name", "kind"), ("team", "is_enabled"))}),
        (_("Severity and status"), {"fields": ("default_severity", ("severity_map", "status_map"))}),
        (_("Incidents"), {"fields": ("group_by", ("reopen_minutes", "auto_resolve"))}),
        (_("Heartbeat and limits"), {"fields": (("heartbeat_minutes", "expire_minutes"), "rate_limit")}),
        (_("Payload"), {"fields": ("templates", "allow_other_endpoints", "signing_secret"), "classes": ["collapse"]}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        firing = Alert.objects.firing().order_by().values("source")
        limited = IntakeEvent.objects.filter(state=IntakeState.LIMITED).order_by()
        lately = limited.filter(received_at__gte=timezone.now() - LIMITED_LATELY).values("source")
        rows: QuerySet[Source] = super().get_queryset(request)
        return rows.annotate(fires=_is_in(firing), was_limited=_is_in(lately))

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        fieldsets = [(title, dict(options)) for title, options in super().get_fieldsets(request, obj)]
        if obj is not None and obj.signing_secret:
            fieldsets[-1][1]["fields"] = (*fieldsets[-1][1]["fields"], "remove_secret")
        return fieldsets

    @display(description=_("State"), label={"on": "success", "off": "default"})  # type: ignore[untyped-decorator]
    def state(self, source: Source) -> tuple[str, str]:
        return ("on", gettext("enabled")) if source.is_enabled else ("off", gettext("disabled"))

    @admin.display(description=_("Last received"))
    def heard(self, source: Source) -> SafeString | str:
        return ago(source.last_received_at)

    @admin.display(description=_("Alerts"))
    def is_firing(self, source: Any) -> SafeString | str:
        return format_html('<span class="ir-badge ir-status-open">{}</span>', gettext("firing")) if source.fires else ""

    @admin.display(description=_("Rate-limited"))
    def is_limited(self, source: Any) -> SafeString | str:
        return format_html('<span class="ir-badge ir-late">{}</span>', gettext("in 24 h")) if source.was_limited else ""

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        prune_known(obj)
        clear_cache()

    def switch_off(self, row: Source) -> None:
        super().switch_off(row)
        clear_cache()

    def delete_model(self, request: HttpRequest, obj: Source) -> None:
        super().delete_model(request, obj)
        clear_cache()

    def response_add(self, request: HttpRequest, obj: Source, post_url_continue: str | None = None) -> HttpResponse:
        """Redirect to the page of its first key."""
        return self.make_key(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        source = self.get_object(request, object_id)
        around = panel_of(source) if source else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **around})
        return response


class HeartbeatForm(RefusableForm):
    class Meta:
        model = Heartbeat
        fields = "__all__"
        labels = {"interval_minutes": _("Interval (minutes)"), "is_enabled": _("Enabled")}


@admin.register(Heartbeat)
class HeartbeatAdmin(BackOfficeAdmin):
    """Heartbeats; a sender's first ping creates its own."""

    form = HeartbeatForm
    ordering = ("name", "id")
    list_display = ("name", "source", "interval", "heard", "state")
    list_select_related = ("source",)
    list_filter = (EnabledFilter,)
    search_fields = ("name__icontains",)
    autocomplete_fields = ("source",)
    fields = ("source", "name", "interval_minutes", "is_enabled")

    @admin.display(description=_("Every"))
    def interval(self, heartbeat: Heartbeat) -> str:
        return gettext("%(number)d min") % {"number": heartbeat.interval_minutes}

    @admin.display(description=_("Last ping"))
    def heard(self, heartbeat: Heartbeat) -> SafeString | str:
        return ago(heartbeat.last_ping_at)

    @display(description=_("State"), label={"missed": "danger", "alive": "success", "off": "default"})  # type: ignore[untyped-decorator]
    def state(self, heartbeat: Heartbeat) -> tuple[str, str]:
        if not heartbeat.is_enabled:
            return "off", gettext("disabled")
        limit = dt.timedelta(minutes=heartbeat.interval_minutes)
        is_missed = timezone.now() - heartbeat.last_ping_at > limit
        return ("missed", gettext("missed")) if is_missed else ("alive", gettext("alive"))


def _is_in(sources: QuerySet[Any, Any]) -> Case:
    return Case(When(Q(pk__in=sources), then=Value(True)), default=Value(False), output_field=BooleanField())


__all__ = ["EnabledFilter", "HeartbeatAdmin", "SourceAdmin", "SourceForm"]
