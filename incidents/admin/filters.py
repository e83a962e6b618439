"""Filters of the incident list; none counts or collects values of a long table."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS
from incidents.filters import ack_breached, resolve_breached
from incidents.models import Category, Incident, Status
from responders.models import Service, Team

Incidents = QuerySet[Incident]
Choices = list[tuple[str, Any]]
YES_NO = [("yes", _("Yes")), ("no", _("No"))]


class OpenFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    title, parameter_name = _("state"), "open"
    all_option = ["", _("Unresolved")]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("Unresolved")), ("no", _("Resolved or closed")), ("all", _("All"))]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        if self.value() in ("yes", "no"):
            return queryset.filter(is_open=self.value() == "yes")
        return queryset.open() if hides_ended(request) else queryset  # type: ignore[attr-defined]


# Filters that may ask for incidents that have ended.
ASKS_FOR_ENDED = (
    *("open", "status", "q", "deleted", "reported"),
    *("team__id__exact", "category__id__exact", "services__id__exact"),  # links to what prevents a deletion
)


def hides_ended(request: HttpRequest) -> bool:
    """Return whether the list defaults to open incidents."""
    return not any(request.GET.get(name) for name in ASKS_FOR_ENDED)


class StatusFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("status"), "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(status.value, str(status.label)) for status in Status]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return queryset.filter(status=self.value()) if self.value() else queryset


class SeverityFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("severity"), "severity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return SEVERITY_WORDS

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return queryset.filter(severity=SEVERITY_OF_WORD.get(self.value(), 0)) if self.value() else queryset


class TeamFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("team"), "team"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("none", _("No team")), *((str(pk), name) for pk, name in Team.objects.values_list("pk", "name"))]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return filter_by_id(queryset, "team_id", self.value())


class CategoryFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("category"), "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        rows = Category.objects.values_list("pk", "name")
        return [("none", _("No category")), *((str(pk), name) for pk, name in rows)]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return filter_by_id(queryset, "category_id", self.value())


class ServiceFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("service"), "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(pk), name) for pk, name in Service.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        if not self.value():
            return queryset
        if not (self.value().isascii() and self.value().isdigit()):
            return queryset.none()
        affected = Incident.services.through.objects.filter(service=int(self.value()))
        return queryset.filter(pk__in=affected.values("incident"))


class AssigneeFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("assignee"), "to"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("me", _("Me")), ("none", _("Unassigned and open"))]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        if self.value() == "none":
            # Unassigned incidents are most of history, and no index orders them.
            return queryset.filter(assignee__isnull=True, is_open=True)
        return filter_by_id(queryset, "assignee_id", str(request.user.pk) if self.value() == "me" else self.value())


class BreachFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("missed target"), "breached"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("any", _("Any")), ("ack", _("Acknowledge")), ("resolve", _("Resolve"))]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        now = timezone.now()
        conditions = {"ack": ack_breached(now), "resolve": resolve_breached(now)}
        conditions["any"] = conditions["ack"] | conditions["resolve"]
        return queryset.filter(conditions[self.value()]) if self.value() in conditions else queryset


class RestrictedFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("restricted"), "restricted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return YES_NO

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return queryset.filter(is_restricted=self.value() == "yes") if self.value() else queryset


class ReportedFilter(DropdownFilter):  # type: ignore[misc]
    """A range at the end of an index."""

    title, parameter_name = _("reported"), "reported"
    days = {"today": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        names = (_("Last 24 hours"), _("Last 7 days"), _("Last 30 days"), _("Last 3 months"), _("Last 12 months"))
        return list(zip(self.days, names, strict=True))

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        if self.value() not in self.days:
            return queryset
        return queryset.filter(created_at__gte=timezone.now() - dt.timedelta(days=self.days[self.value()]))


class DeletedFilter(DropdownFilter):  # type: ignore[misc]
    title, parameter_name = _("deleted"), "deleted"
    all_option = ["", _("Not deleted")]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", _("Deleted"))]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return queryset.filter(deleted_at__isnull=self.value() != "yes")


def filter_by_id(queryset: Incidents, column: str, value: str | None) -> Incidents:
    """Filter by one value, by none, or not at all."""
    if not value:
        return queryset
    if value == "none":
        return queryset.filter(**{f"{column}__isnull": True})
    return queryset.filter(**{column: int(value)}) if value.isascii() and value.isdigit() else queryset.none()
