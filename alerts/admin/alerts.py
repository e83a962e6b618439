import datetime as dt
import itertools
import re
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alerts.admin import alert_filters as filters
from alerts.admin.alert_pages import AlertPages
from alerts.admin.badges import alert_badge, incident_link, marks
from alerts.filters import RARE
from alerts.models import Alert, AlertLabel, AlertQuerySet, pair_number
from alerts.services.links import safe_links
from alerts.services.waiting import waits_for
from alerts.vocabulary import AlertStatus
from core.backoffice.badges import ago, cut, severity_badge
from core.backoffice.base import ReadOnlyAdmin, exactly
from incidents.permissions import can_work_on
from intake.admin import SourceFilter
from users.models import User

_REFERENCE = re.compile(r"inc-([0-9]{1,15})", re.IGNORECASE | re.ASCII)


@admin.register(Alert)
class AlertAdmin(AlertPages, ReadOnlyAdmin):
    ordering = ("-last_seen_at", "-id")
    list_display = (
        "title_display",
        "status_display",
        "severity_display",
        "source",
        "incident_display",
        "message_count",
        "seen",
    )
    list_display_links = ("title_display",)
    list_select_related = ("source", "incident")
    list_filter = (
        filters.StatusFilter,
        filters.SeverityFilter,
        SourceFilter,
        filters.MarkFilter,
        filters.SeenFilter,
    )
    search_fields = ("title",)
    search_help_text = _("Labels such as cluster=eu-1, a reference such as INC-1042, or title words of firing alerts")
    actions = ("move_selected", "split_selected")
    change_form_outer_before_template = "admin/alerts/alert_panel.html"
    change_form_outer_after_template = "admin/alerts/alert_below.html"
    fields = ("description_display", "first_seen", "started", "last_seen", "ended", "expires", "fingerprint")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        user: User = request.user  # type: ignore[assignment]
        return Alert.objects.visible_to(user).order_by(*self.ordering)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Alert], search_term: str
    ) -> tuple[QuerySet[Alert], bool]:
        """Search labels and incidents, which are indexed; words only among firing alerts."""
        words = []
        for word in search_term.split():
            name, sign, value = word.partition("=")
            if match := _REFERENCE.fullmatch(word):
                queryset = queryset.filter(incident_id=int(match[1]))
            elif sign and name:
                queryset = carrying(queryset, name, value.strip('"'))  # type: ignore[arg-type]
            else:
                words.append(word)
        for word in words:
            queryset = queryset.firing().filter(title__icontains=word)  # type: ignore[attr-defined]
        return queryset, False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        alert = self.get_object(request, object_id)
        around = around_alert(alert, request.user) if alert else {}  # type: ignore[arg-type]
        context = {**(extra_context or {}), **around, "title": str(alert or ""), "subtitle": None}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    @admin.display(description=_("Alert"))
    def title_display(self, alert: Alert) -> SafeString:
        return format_html('<span class="ir-title">{}</span>', alert.title)

    @admin.display(description=_("Status"))
    def status_display(self, alert: Alert) -> SafeString:
        return format_html("{} {}", alert_badge(alert), marks(alert))

    @admin.display(description=_("Severity"))
    def severity_display(self, alert: Alert) -> SafeString:
        return severity_badge(alert.severity)

    @admin.display(description=_("Incident"))
    def incident_display(self, alert: Alert) -> SafeString | str:
        return incident_link(alert.incident)

    @admin.display(description=_("Messages"))
    def message_count(self, alert: Alert) -> int:
        return alert.occurrences

    @admin.display(description=_("Last seen"))
    def seen(self, alert: Alert) -> SafeString | str:
        return ago(alert.last_seen_at)

    @admin.display(description=_("Description"))
    def description_display(self, alert: Alert) -> SafeString | str:
        return (
            format_html('<span class="ir-lines">{}</span>', alert.description)
            if alert.description
            else gettext("None.")
        )

    @admin.display(description=_("First seen"))
    def first_seen(self, alert: Alert) -> str:
        return exactly(alert.first_seen_at)

    @admin.display(description=_("Started"))
    def started(self, alert: Alert) -> str:
        return exactly(alert.starts_at)

    @admin.display(description=_("Last seen"))
    def last_seen(self, alert: Alert) -> str:
        return exactly(alert.last_seen_at)

    @admin.display(description=_("Expires"))
    def expires(self, alert: Alert) -> str:
        if alert.expires_at is None:
            return gettext("never")
        return gettext("%(time)s, unless seen again") % {"time": exactly(alert.expires_at)}

    @admin.display(description=_("Ended"))
    def ended(self, alert: Alert) -> SafeString | str:
        if alert.ends_at is None:
            return gettext("not yet")
        return format_html(
            "{} ({})", ago(alert.ends_at), alert.get_ended_by_display().lower() or gettext("by its sender")
        )


def carrying(alerts: AlertQuerySet, name: str, value: str) -> AlertQuerySet:
    """Select alerts with a label: a rare one by ids, a common one by walking."""
    found = AlertLabel.objects.filter(pair=pair_number(name, value)).order_by()
    ids = list(found.values_list("alert_id", flat=True)[:RARE])
    return alerts.filter(pk__in=ids) if len(ids) < RARE else alerts.labelled(name, value)


def around_alert(alert: Alert, user: User) -> dict[str, Any]:
    """Return the context of an alert's page."""
    team_id = alert.incident.team_id if alert.incident else None
    return {
        "alert": alert,
        "status": alert_badge(alert),
        "severity": severity_badge(alert.severity),
        "marks": marks(alert),
        "incident_link": incident_link(alert.incident),
        "waits": waits_for(alert),
        "links": safe_links(alert.links),
        "labels": [(name, value, _search(name, value)) for name, value in cut(alert.labels)],
        "annotations": cut(alert.annotations),
        "changes": latest_changes(alert),
        "silence": alert.silenced_by,
        "silence_url": f"{reverse('admin:alerts_silence_add')}?alert={alert.pk}",
        "may_silence": user.has_perm("alerts.add_silence"),
        "works": can_work_on(user, team_id),
        "shows_source": user.has_perm("intake.view_source"),
    }


def latest_changes(alert: Alert) -> list[tuple[str, str]]:
    """Return the latest statuses, newest first: (when, to what)."""
    turns = itertools.cycle(sorted(AlertStatus, key=lambda status: status != alert.status))
    moments = (dt.datetime.fromtimestamp(moment, dt.UTC) for moment in reversed(alert.changes))
    return [(exactly(moment), str(status.label)) for moment, status in zip(moments, turns, strict=False)]


def _search(name: str, value: str) -> str:
    if not name or not value or re.search(r"[\s=]", name) or re.search(r'[\s"]', value):
        return ""
    return f"{reverse('admin:alerts_alert_changelist')}?{urlencode({'q': f'{name}={value}'})}"
