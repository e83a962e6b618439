"""Admin pages of routes."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from alerts import validation
from alerts.admin.fields import MATCHERS_HELP, LabelNamesField, MatchersField, checked, readable
from alerts.admin.trying import TryForm, simulate_asked
from alerts.matching import MatcherInvalid, matchers_from, words_of
from alerts.models import Route, Silence
from core.backoffice.badges import severity_badge
from core.backoffice.base import BackOfficeAdmin, RefusableForm
from core.backoffice.paging import KeysetChangeList
from core.errors import DomainError

MOST = 1000  # on one page, for dragging anywhere


class RouteForm(RefusableForm):
    class Meta:
        model = Route
        fields = "__all__"
        labels = {
            "is_enabled": _("Enabled"),
            "is_drop": _("Drop alerts"),
            "go_on": _("Continue with later routes"),
            "open_after_count": _("Open after (firings)"),
            "open_after_minutes": _("Within (minutes)"),
        }
        help_texts = {
            "go_on": _("Later routes fill in what this one leaves unset."),
            "is_drop": _("Matching alerts are counted, but not stored."),
            "open_after_count": _("At 1, every firing opens or joins an incident immediately."),
            "open_after_minutes": _("Only firings within this time count together."),
        }

    matchers = MatchersField(
        required=False,
        label=_("Matchers"),
        help_text=format_lazy("{} {}", MATCHERS_HELP, _("Leave empty to match all alerts.")),
    )
    group_by = LabelNamesField(
        label=_("Group by"),
        required=False,
        help_text=_(
            "Comma-separated label names: alerts with the same values share one open incident, whatever their source. "
            "Leave empty to use the source's setting."
        ),
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        checked(self, "matchers", validation.matchers)
        if "group_by" in self.cleaned_data:
            self.cleaned_data["group_by"] = self.cleaned_data["group_by"] or None
        return cleaned


class RouteChangeList(KeysetChangeList):
    """All routes in order, as a query where editable."""

    def _describe(self, rows: list[Any]) -> None:
        super()._describe(rows)
        self.result_list = self.queryset.order_by(*self.model_admin.ordering)[: self.model_admin.list_per_page]


@admin.register(Route)
class RouteAdmin(BackOfficeAdmin):
    """Routes: the first match decides, so order matters."""

    form = RouteForm
    ordering = ("position", "id")
    ordering_field = "position"
    hide_ordering_field = True
    list_per_page = MOST
    list_display = ("name", "state", "conditions", "leads_to", "matched", "dropped")
    list_display_links = ("name",)
    list_select_related = ("team", "category", "service")
    list_before_template = "admin/alerts/routes_above.html"
    search_fields = ("name__icontains",)
    autocomplete_fields = ("team", "category", "service")
    fieldsets = (
        (None, {"fields": (("name", "is_enabled"), "matchers")}),
        (
            _("Action"),
            {"fields": (("is_drop", "go_on"), ("team", "service"), ("severity", "priority"), "category")},
        ),
        (_("Incidents"), {"fields": ("group_by", ("open_after_count", "open_after_minutes"))}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return RouteChangeList

    def get_fieldsets(self, request: HttpRequest, obj: Route | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        return readable(fieldsets, matchers="conditions", group_by="grouping")

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Search in pickers only: part of a list cannot be ordered."""
        match = request.resolver_match
        is_list = match is not None and match.url_name == "alerts_route_changelist"
        return () if is_list else super().get_search_fields(request)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{**kwargs, "form": RefusableForm})

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {**(extra_context or {}), "may_order": self.has_change_permission(request)}
        return super().changelist_view(request, context)

    def save_model(self, request: HttpRequest, obj: Route, form: Any, change: bool) -> None:
        if not change:
            last = Route.objects.aggregate(last=Max("position"))["last"]
            obj.position = 0 if last is None else last + 1
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("try/", view, name="alerts_route_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Simulate an alert; nothing is stored."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TryForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Test the routes"),
            "opts": self.opts,
            "form": form,
            "back": reverse("admin:alerts_route_changelist"),
        }
        if form.is_valid():
            try:
                context["results"] = simulate_asked(form.cleaned_data, request.user)  # type: ignore[arg-type]
            except DomainError as error:
                form.add_error("text", error.message)
        return TemplateResponse(request, "admin/alerts/try.html", context)

    @display(description=_("State"), label={"on": "success", "off": "default"})  # type: ignore[untyped-decorator]
    def state(self, route: Route) -> tuple[str, str]:
        return ("on", gettext("enabled")) if route.is_enabled else ("off", gettext("disabled"))

    @admin.display(description=_("Matchers"))
    def conditions(self, route: Route) -> SafeString | str:
        return conditions_cell(route) if route.matchers else gettext("all")

    @admin.display(description=_("Group by"))
    def grouping(self, route: Route) -> str:
        return ", ".join(route.group_by or []) or gettext("as set in the source")

    @admin.display(description=_("Action"))
    def leads_to(self, route: Route) -> SafeString | str:
        if route.is_drop:
            return format_html('<span class="ir-badge ir-late">{}</span>', gettext("dropped"))
        parts = [str(part) for part in (route.team, route.service, route.category) if part]
        if not parts and not route.severity:
            parts = [gettext("as set in the source")]
        if route.open_after_count > 1:
            limits = {"count": route.open_after_count, "minutes": route.open_after_minutes}
            parts.append(gettext("after %(count)d in %(minutes)d min") % limits)
        if route.go_on:
            parts.append(gettext("continues"))
        return format_html("{} {}", severity_badge(route.severity) if route.severity else "", " · ".join(parts))

    @admin.display(description=_("Matched"))
    def matched(self, route: Route) -> int:
        return route.matched_count

    @admin.display(description=_("Dropped"))
    def dropped(self, route: Route) -> int:
        return route.dropped_count


def conditions_cell(one: Route | Silence) -> SafeString | str:
    """Return its matchers for a cell, and what is wrong with them."""
    try:
        said = format_html('<code class="ir-code">{}</code>', words_of(matchers_from(one.matchers)))
    except MatcherInvalid as error:
        return format_html(
            '<span class="ir-badge ir-late" title="{}">{}</span>', error, gettext("invalid: matches nothing")
        )
    wrong = one.wrong
    return (
        format_html('{} <span class="ir-badge ir-late" title="{}">{}</span>', said, wrong, gettext("needs fixing"))
        if wrong
        else said
    )
