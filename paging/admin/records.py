"""Admin pages of pages sent, and of alarms that nobody was reached."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as gettext
from django.utils.translation import gettext_lazy as _

from core.backoffice.badges import ago
from core.backoffice.base import ReadOnlyAdmin
from core.text.sentences import shown
from paging.models import EscalationAlarm, Page


@admin.register(Page)
class PageAdmin(ReadOnlyAdmin):
    """Who was paged for what, and what became of it."""

    ordering = ("-id",)
    list_display = ("paged", "of_incident", "reason", "importance", "became", "sent")
    list_select_related = ("incident",)
    fields = ("of_incident", "paged", "reason", "importance", "message", "step", "round", "by", "became", "sent")

    @admin.display(description=_("Paged"))
    def paged(self, page: Page) -> str:
        return page.target_name

    @admin.display(description=_("Incident"))
    def of_incident(self, page: Page) -> SafeString:
        return link_to(page.incident_id)

    @admin.display(description=_("why"))
    def reason(self, page: Page) -> str:
        return shown(page.why)

    @admin.display(description=_("State"))
    def became(self, page: Page) -> str:
        return state_of(page)

    @admin.display(description=_("Sent"))
    def sent(self, page: Page) -> Any:
        return ago(page.created_at)


@admin.register(EscalationAlarm)
class EscalationAlarmAdmin(ReadOnlyAdmin):
    """Incidents that nobody was reached for."""

    ordering = ("-id",)
    list_display = ("of_incident", "told", "stands", "raised")
    fields = ("of_incident", "reason", "told", "stands", "raised")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EscalationAlarm]:
        rows: QuerySet[EscalationAlarm] = super().get_queryset(request)
        return rows.select_related("incident")

    @admin.display(description=_("Incident"))
    def of_incident(self, alarm: EscalationAlarm) -> SafeString:
        return link_to(alarm.incident_id)

    @admin.display(description=_("detail"))
    def told(self, alarm: EscalationAlarm) -> str:
        return shown(alarm.detail)

    @admin.display(description=_("State"))
    def stands(self, alarm: EscalationAlarm) -> SafeString | str:
        if alarm.cleared_at is not None:
            return gettext("answered")
        return format_html('<span class="ir-badge ir-late">{}</span>', gettext("nobody reached"))

    @admin.display(description=_("Raised"))
    def raised(self, alarm: EscalationAlarm) -> Any:
        return ago(alarm.raised_at)


def link_to(number: int) -> SafeString:
    url = reverse("admin:incidents_incident_change", args=[number])
    return format_html('<a class="ir-link" href="{}">INC-{}</a>', url, number)


def state_of(page: Page) -> str:
    """Return what became of a page, in a word."""
    if page.answered_at is not None:
        return gettext("answered")
    if page.failed_at is not None:
        return gettext("failed: every attempt")
    return gettext("no longer needed") if page.cancelled_at is not None else gettext("no answer yet")
