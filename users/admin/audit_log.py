import datetime as dt
from typing import Any

import auditlog.admin  # noqa: F401 (registers its own page, which ours replaces)
from auditlog.models import LogEntry
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from core.backoffice.base import ReadOnlyAdmin, exactly

admin.site.unregister(LogEntry)
LogEntry._meta.verbose_name, LogEntry._meta.verbose_name_plural = _("audit log entry"), _("audit log")
SHOWN_CHANGES = 4
SHOWN_CHARACTERS = 80
SHORTEST_MOMENT = len("2026-01-01 00:00:00")
ACTION_COLOURS = {"created": "success", "changed": "info", "deleted": "danger", "noted": "default"}


@admin.register(LogEntry)
class AuditLogAdmin(ReadOnlyAdmin):
    ordering = ("-id",)
    list_display = ("timestamp", "who", "action_badge", "kind", "object_repr", "summary")
    list_display_links = ("timestamp", "object_repr")
    list_filter = (("action", ChoicesDropdownFilter),)
    list_select_related = ("actor", "content_type")
    search_fields = ("object_pk",)
    search_help_text = _("An actor's email address, or the id of a changed object")
    fields = ("timestamp", "who", "action_badge", "kind", "object_repr", "object_pk", "changes_table", "remote_addr")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LogEntry], search_term: str
    ) -> tuple[QuerySet[LogEntry], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if "@" in term:
            return queryset.filter(Q(actor__email=term.lower())), False
        return queryset.filter(object_pk=term.upper().removeprefix("INC-")), False

    @display(description=_("Actor"))  # type: ignore[untyped-decorator]
    def who(self, entry: LogEntry) -> str:
        return str(entry.actor) if entry.actor else entry.actor_email or gettext("System")

    @display(description=_("Action"), label=ACTION_COLOURS)  # type: ignore[untyped-decorator]
    def action_badge(self, entry: LogEntry) -> tuple[str, str]:
        event = str((entry.additional_data or {}).get("event", "noted"))
        words = (
            ("created", gettext("created")),
            ("changed", gettext("changed")),
            ("deleted", gettext("deleted")),
            ("noted", event.replace("_", " ")),
        )
        return words[entry.action]

    @display(description=_("Type"))  # type: ignore[untyped-decorator]
    def kind(self, entry: LogEntry) -> str:
        return str(entry.content_type.name)

    @display(description=_("Changes"))  # type: ignore[untyped-decorator]
    def summary(self, entry: LogEntry) -> str:
        changes = changes_of(entry)
        names = ", ".join(name for name, _before, _after in changes[:SHOWN_CHANGES])
        return names + (" …" if len(changes) > SHOWN_CHANGES else "")

    @display(description=_("Changes"))  # type: ignore[untyped-decorator]
    def changes_table(self, entry: LogEntry) -> str:
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", changes_of(entry))
        return format_html(
            '<table class="ir-table"><thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead>'
            "<tbody>{}</tbody></table>",
            gettext("Field"),
            gettext("From"),
            gettext("To"),
            rows,
        )


def changes_of(entry: LogEntry) -> list[tuple[str, str, str]]:
    """Return (field, before, after) of an entry, or a recorded fact's data."""
    changes: dict[str, Any] = entry.changes or {}
    rows = [(name, *_pair(change)) for name, change in changes.items()]
    return rows + [
        (name, "", _short(value)) for name, value in (entry.additional_data or {}).items() if name != "event"
    ]


def _pair(change: Any) -> tuple[str, str]:
    if isinstance(change, list) and len(change) == 2:
        return _short(change[0]), _short(change[1])
    if isinstance(change, dict):
        return "", _short(f"{change.get('operation', '')} {', '.join(map(str, change.get('objects', [])))}")
    return "", _short(change)


def _short(value: Any) -> str:
    text = "" if value in (None, "None") else _moment(value) or str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def _moment(value: Any) -> str:
    try:
        moment = parse_datetime(value) if isinstance(value, str) and len(value) >= SHORTEST_MOMENT else None
    except ValueError:
        return ""
    if moment is None:
        return ""
    return exactly(moment if timezone.is_aware(moment) else moment.replace(tzinfo=dt.UTC))
