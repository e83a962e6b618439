"""Admin pages of log lines and detection rules."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from alerts.admin.fields import LabelNamesField, readable
from alerts.models import Alert
from alerts.vocabulary import AlertStatus
from core.api.paging import BoundedPages, Key
from core.backoffice.badges import cut
from core.backoffice.base import BackOfficeAdmin, ReadOnlyAdmin, RefusableForm, exactly, zone_note
from core.backoffice.paging import KeysetChangeList
from core.errors import DomainError
from intake.models import Source
from logs.filters import selection
from logs.models import DetectionRule, LogEntry, Mode
from logs.services.backtesting import backtest
from logs.services.rules import delete_rule, save_rule
from logs.vocabulary import LEVEL_WORDS, Level

COLOURS = {
    Level.CRITICAL: "ir-severity-critical",
    Level.ERROR: "ir-severity-high",
    Level.WARNING: "ir-severity-medium",
    Level.INFO: "ir-severity-low",
}
HOURS = {"hour": 1, "day": 24, "week": 168}
_NAMED = re.compile(r"(service|host|trace_id)=(\S+)")
Choices = list[tuple[str, str]]


class LineFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    """Applied by `LineChangeList`: the index depends on all filters together."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        return queryset


class LevelFilter(LineFilter):
    """A level, and worse ones."""

    title, parameter_name = _("level"), "level_min"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(word, gettext("%(level)s or worse") % {"level": label}) for word, label in reversed(LEVEL_WORDS[1:])]


class SinceFilter(LineFilter):
    title, parameter_name = _("time"), "time"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        spans = (gettext("Last hour"), gettext("Last 24 hours"), gettext("Last 7 days"))
        return list(zip(HOURS, spans, strict=True))


class SourceFilter(LineFilter):
    title, parameter_name = _("source"), "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(pk), name) for pk, name in Source.objects.order_by("name").values_list("pk", "name")]


class LineChangeList(KeysetChangeList):
    """Pages lines as the API does, each page bounded."""

    query: str
    goes_on: dict[str, Any] | None = None

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[LogEntry]:
        self.given = given(request.GET.dict(), self.query)
        text, self.query = self.query, ""
        rows = super().get_queryset(request, exclude_parameters)
        self.query = text
        return rows

    def fetch(self, ordered: QuerySet[LogEntry], limit: int) -> list[LogEntry]:
        try:
            selected = selection(ordered, self.given)
        except APIException:
            return []
        pages = BoundedPages(selected.checked)
        pages.branches = selected.branches
        pages.walked = [Key(word.removeprefix("-"), word.startswith("-")) for word in map(str, ordered.query.order_by)]
        found = pages.fetch(lambda: selected.rows.values("timestamp", "id"), limit)
        self.goes_on = pages.goes_on
        lines = LogEntry.objects.select_related("source").in_bulk([row["id"] for row in found])
        return [lines[row["id"]] for row in found if row["id"] in lines]

    def _first_page(self, rows: QuerySet[LogEntry]) -> tuple[list[LogEntry], bool]:
        found, has_more = self._page(rows)
        self.is_capped = has_more
        return found, has_more

    def _link(self, rows: list[LogEntry], keys: Any, has_more: bool, is_backwards: bool) -> None:
        if self.goes_on is not None and not is_backwards:
            rows, has_more = [*rows, LogEntry(**self.goes_on)], True
        super()._link(rows, keys, has_more, is_backwards)


def given(parameters: dict[str, str], text: str) -> dict[str, str]:
    """Return the filters and search as the API's filters."""
    asked = {name: parameters[name] for name in ("level_min", "source") if parameters.get(name)}
    if hours := HOURS.get(parameters.get("time", "")):
        asked["since"] = (timezone.now() - dt.timedelta(hours=hours)).isoformat()
    asked |= dict(_NAMED.findall(text))
    if words := " ".join(_NAMED.sub("", text).split()):
        asked["q"] = words
    return asked


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    ordering = ("-timestamp", "-id")
    list_display = ("when", "level_display", "service", "host", "message_display")
    list_display_links = ("when", "message_display")
    list_filter = (LevelFilter, SinceFilter, SourceFilter)
    search_fields = ("message",)
    search_help_text = _("Text in the message, service=checkout, host=web-1, trace_id=…")
    fields = (
        *("timestamp", "received_at", "level_display", "service", "host", "sender", "trace"),
        *("whole_message", "attributes_display"),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return LineChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LogEntry], search_term: str
    ) -> tuple[QuerySet[LogEntry], bool]:
        return queryset, False

    @admin.display(description=_("When"))
    def when(self, line: LogEntry) -> SafeString:
        moment = line.timestamp
        return format_html('<time class="ir-nowrap" datetime="{}">{}</time>', moment.isoformat(), exactly(moment))

    @admin.display(description=_("Level"))
    def level_display(self, line: LogEntry) -> SafeString:
        return level_badge(line.level)

    @admin.display(description=_("Message"))
    def message_display(self, line: LogEntry) -> SafeString:
        return format_html('<span class="ir-code">{}</span>', line.message[:300])

    @admin.display(description=_("Message"))
    def whole_message(self, line: LogEntry) -> SafeString:
        return format_html('<pre class="ir-pre">{}</pre>', line.message)

    @admin.display(description=_("Source"))
    def sender(self, line: LogEntry) -> str:
        """Name the source unlinked: its page is for administrators."""
        return str(line.source or gettext("sent by a person"))

    @admin.display(description=_("Trace"))
    def trace(self, line: LogEntry) -> SafeString | str:
        if not line.trace_id:
            return gettext("none")
        url = f"{reverse('admin:logs_logentry_changelist')}?q=trace_id={line.trace_id}"
        return format_html('<a class="ir-link" href="{}">{}</a>', url, line.trace_id)

    @admin.display(description=_("Attributes"))
    def attributes_display(self, line: LogEntry) -> SafeString | str:
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", cut(line.attributes))
        return (
            format_html('<table class="ir-table ir-pairs"><tbody>{}</tbody></table>', rows) if rows else gettext("none")
        )


def level_badge(level: int) -> SafeString:
    """Return the level as a coloured word."""
    found = Level(level)
    return format_html('<span class="ir-badge {}">{}</span>', COLOURS.get(found, ""), found.label)


class RuleForm(RefusableForm):
    class Meta:
        model = DetectionRule
        fields = "__all__"
        labels = {
            "is_enabled": _("Enabled"),
            "mode": _("Mode"),
            "query": _("Query"),
            "level": _("Minimum level"),
            "service": _("Service"),
            "threshold": _("Minimum lines"),
            "window_seconds": _("Within (seconds)"),
            "check_interval_seconds": _("Evaluate every (seconds)"),
            "store": _("Read from"),
        }
        help_texts = {
            "query": _(
                'Words in the message, "an exact phrase", /a pattern/, attribute:value; a leading minus excludes. '
                "All parts must match. Leave empty to match every line. Of another store: a search in its own language."
            ),
        }

    group_by = LabelNamesField(
        label=_("Group by"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "service, host"}),
        help_text=_("Each combination of values is a separate alert: service, host, level, template, attributes.name."),
    )


class RangeForm(forms.Form):
    """The time to try a rule on."""

    since = forms.SplitDateTimeField(label=_("Since"), widget=UnfoldAdminSplitDateTimeWidget)
    until = forms.SplitDateTimeField(label=_("Until"), widget=UnfoldAdminSplitDateTimeWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.help_text = zone_note()


@admin.register(DetectionRule)
class DetectionRuleAdmin(BackOfficeAdmin):
    """Rules that raise alerts, and a page to try them."""

    form = RuleForm
    ordering = ("name", "id")
    list_display = ("name", "state_display", "severity_display", "condition", "fires", "try_link")
    list_display_links = ("name",)
    list_filter = (("severity", ChoicesDropdownFilter),)
    search_fields = ("name__icontains",)
    sortable_by = ("name",)
    change_form_outer_before_template = "admin/logs/rule_panel.html"
    fieldsets = (
        (None, {"fields": (("name", "is_enabled"), "severity")}),
        (_("Lines"), {"fields": ("query", ("level", "service"), "store")}),
        (
            _("Alert when"),
            {"fields": ("mode", ("threshold", "window_seconds"), "check_interval_seconds", "group_by")},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: DetectionRule | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if self.has_change_permission(request, obj) else readable(fieldsets, group_by="grouping")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        sources = {rule.source_id for rule in changelist.result_list}
        alerts = Alert.objects.filter(source__in=sources, status=AlertStatus.FIRING, fingerprint__startswith="rule:")
        numbers = Counter(name.split(":")[1] for name in alerts.values_list("fingerprint", flat=True))
        for rule in changelist.result_list:
            rule.firing = numbers[str(rule.pk)]
        return changelist

    def save_model(self, request: HttpRequest, obj: DetectionRule, form: Any, change: bool) -> None:
        save_rule(obj, only=form.changed_data if change else None)

    def switch_off(self, row: DetectionRule) -> None:
        row.is_enabled = False
        save_rule(row)

    def delete_model(self, request: HttpRequest, obj: DetectionRule) -> None:
        delete_rule(obj)

    def has_delete_permission(self, request: HttpRequest, obj: DetectionRule | None = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and not (obj and obj.is_builtin)

    def get_urls(self) -> list[Any]:
        view: Callable[..., HttpResponse] = self.admin_site.admin_view(self.try_view)
        return [path("<int:pk>/try/", view, name="logs_detectionrule_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the alerts that past lines would raise."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rule = DetectionRule.objects.filter(pk=pk).first()
        if rule is None:
            raise Http404
        now = timezone.now().replace(microsecond=0)
        form = RangeForm(request.POST or None, initial={"since": now - dt.timedelta(days=1), "until": now})
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Test %(rule)s") % {"rule": rule},
            "opts": self.opts,
            "original": rule,
            "form": form,
            "back": reverse("admin:logs_detectionrule_change", args=[rule.pk]),
        }
        if form.is_valid():
            try:
                context["result"] = backtest(rule, form.cleaned_data["since"], form.cleaned_data["until"])
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, error.message)
        return TemplateResponse(request, "admin/logs/try.html", context)

    @display(description=_("State"), label={"on": "success", "off": "default", "failing": "danger"})  # type: ignore[untyped-decorator]
    def state_display(self, rule: DetectionRule) -> tuple[str, str]:
        if rule.is_enabled and rule.is_failing:
            return ("failing", gettext("searches fail"))
        return ("on", gettext("enabled")) if rule.is_enabled else ("off", gettext("disabled"))

    @admin.display(description=_("Severity"))
    def severity_display(self, rule: DetectionRule) -> SafeString:
        return format_html(
            '<span class="ir-badge ir-severity-{}">{}</span>', rule.severity, rule.get_severity_display()
        )

    @admin.display(description=_("Condition"))
    def condition(self, rule: DetectionRule) -> SafeString:
        return format_html("{}", condition_of(rule))

    @admin.display(description=_("Group by"))
    def grouping(self, rule: DetectionRule) -> str:
        return ", ".join(rule.group_by) or gettext("nothing")

    @admin.display(description=_("Alerts"))
    def fires(self, rule: Any) -> SafeString | str:
        label = gettext("%(number)d firing") % {"number": rule.firing}
        return format_html('<span class="ir-badge ir-status-open">{}</span>', label) if rule.firing else ""

    @admin.display(description=_("Test"))
    def try_link(self, rule: DetectionRule) -> SafeString:
        url = reverse("admin:logs_detectionrule_try", args=[rule.pk])
        return format_html('<a class="ir-link ir-nowrap" href="{}">{}</a>', url, gettext("test …"))


def condition_of(rule: DetectionRule) -> str:
    """Describe a rule's condition."""
    level = gettext("%(level)s or worse") % {"level": Level(rule.level).label.lower()} if rule.level else ""
    store = str(rule.get_store_display()) if rule.is_outside else ""
    lines = " · ".join(part for part in (store, rule.query, level, rule.service) if part) or gettext("any line")
    if rule.mode == Mode.THRESHOLD:
        limits = {"lines": lines, "threshold": rule.threshold, "seconds": rule.window_seconds}
        return gettext("%(lines)s: %(threshold)d within %(seconds)d s") % limits
    return gettext("%(lines)s: each line") % {"lines": lines}
