"""Filters of the alert list; none counts or scans a long table."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from alerts.models import Alert
from alerts.vocabulary import AlertStatus
from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS

Alerts = QuerySet[Alert]
Choices = list[tuple[str, str]]


class StatusFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    title, parameter_name = _("status"), "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(status.value, str(status.label)) for status in AlertStatus]

    def queryset(self, request: HttpRequest, queryset: Alerts) -> Alerts:
        if self.value() == AlertStatus.RESOLVED:
            # Nearly all are: the list is walked in its order, which an equation would keep SQLite from.
            return queryset.exclude(status=AlertStatus.FIRING)
        return queryset.filter(status=self.value()) if self.value() else queryset


class SeverityFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("severity"), "severity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return SEVERITY_WORDS

    def queryset(self, request: HttpRequest, queryset: Alerts) -> Alerts:
        return queryset.filter(severity=SEVERITY_OF_WORD.get(self.value(), 0)) if self.value() else queryset


class MarkFilter(DropdownFilter):  # type: ignore[misc]
    """Flapping, silenced and the like."""

    title, parameter_name = _("condition"), "marked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("flapping", gettext("Flapping")),
            ("silenced", gettext("Silenced")),
            ("alone", gettext("Firing without an incident")),
        ]

    def queryset(self, request: HttpRequest, queryset: Alerts) -> Alerts:
        firing = queryset.filter(status=AlertStatus.FIRING)
        chosen = {
            "flapping": queryset.filter(is_flapping=True),
            "silenced": firing.filter(silenced_by__isnull=False),
            "alone": firing.filter(incident__isnull=True),
        }
        return chosen.get(self.value() or "", queryset)


class SeenFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("last seen"), "seen"
    hours = {"hour": 1, "day": 24, "week": 168, "month": 720}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        spans = (gettext("Last hour"), gettext("Last 24 hours"), gettext("Last 7 days"), gettext("Last 30 days"))
        return list(zip(self.hours, spans, strict=True))

    def queryset(self, request: HttpRequest, queryset: Alerts) -> Alerts:
        if self.value() not in self.hours:
            return queryset
        return queryset.filter(last_seen_at__gte=timezone.now() - dt.timedelta(hours=self.hours[self.value()]))
