"""The filters of the incident list. None of them counts or collects distinct values of a long table."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS
from incidents.filters import ack_breached, resolve_breached
from incidents.models import Category, Incident, Status
from responders.models import Service, Team

Incidents = QuerySet[Incident]
Choices = list[tuple[str, str]]
YES_NO = [("yes", "Yes"), ("no", "No")]


class OpenFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    """Wanting work, or done with."""

    title, parameter_name = "open or done", "open"
    all_option = ["", "Open, unless asked for"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", "Open"), ("no", "Resolved or closed"), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        if self.value() in ("yes", "no"):
            return queryset.filter(is_open=self.value() == "yes")
        return queryset.open() if hides_ended(request) else queryset  # type: ignore[attr-defined]


# Who asks for one of these may well mean an incident that has ended.
ASKS_FOR_ENDED = (
    *("open", "status", "q", "deleted", "reported"),
    *("team__id__exact", "category__id__exact", "services__id__exact"),  # all that keeps something from deletion
)


def hides_ended(request: HttpRequest) -> bool:
    """Whether the list shows open incidents only, because nothing else was asked for."""
    return not any(request.GET.get(name) for name in ASKS_FOR_ENDED)


class StatusFilter(DropdownFilter):  # type: ignore[misc]
    """One status."""

    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(status.value, str(status.label)) for status in Status]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return queryset.filter(status=self.value()) if self.value() else queryset


class SeverityFilter(DropdownFilter):  # type: ignore[misc]
    """One severity."""

    title, parameter_name = "severity", "severity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return SEVERITY_WORDS

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return queryset.filter(severity=SEVERITY_OF_WORD.get(self.value(), 0)) if self.value() else queryset


class TeamFilter(DropdownFilter):  # type: ignore[misc]
    """One team, or none."""

    title, parameter_name = "team", "team"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("none", "No team"), *((str(pk), name) for pk, name in Team.objects.values_list("pk", "name"))]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return of_one(queryset, "team_id", self.value())


class CategoryFilter(DropdownFilter):  # type: ignore[misc]
    """One category, or none."""

    title, parameter_name = "category", "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        rows = Category.objects.values_list("pk", "name")
        return [("none", "No category"), *((str(pk), name) for pk, name in rows)]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return of_one(queryset, "category_id", self.value())


class ServiceFilter(DropdownFilter):  # type: ignore[misc]
    """One affected service."""

    title, parameter_name = "service", "service"

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
    """Mine, or nobody's; administrators choose anybody by the filter beside it."""

    title, parameter_name = "given to", "to"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("me", "Me"), ("none", "Nobody, and open")]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        if self.value() == "none":
            # All that nobody ever had is most of history, and no index has it in order; what is wanted is open work.
            return queryset.filter(assignee__isnull=True, is_open=True)
        return of_one(queryset, "assignee_id", str(request.user.pk) if self.value() == "me" else self.value())


class BreachFilter(DropdownFilter):  # type: ignore[misc]
    """Missed targets."""

    title, parameter_name = "missed target", "breached"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("any", "Any"), ("ack", "Acknowledge"), ("resolve", "Resolve")]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        now = timezone.now()
        conditions = {"ack": ack_breached(now), "resolve": resolve_breached(now)}
        conditions["any"] = conditions["ack"] | conditions["resolve"]
        return queryset.filter(conditions[self.value()]) if self.value() in conditions else queryset


class RestrictedFilter(DropdownFilter):  # type: ignore[misc]
    """Seen by few, or by all responders."""

    title, parameter_name = "restricted", "restricted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return YES_NO

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return queryset.filter(is_restricted=self.value() == "yes") if self.value() else queryset


class ReportedFilter(DropdownFilter):  # type: ignore[misc]
    """When it was reported: a range at the end of an index, not a calendar that has to be counted out."""

    title, parameter_name = "reported", "reported"
    days = {"today": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        names = ("Last 24 hours", "Last 7 days", "Last 30 days", "Last 3 months", "Last 12 months")
        return list(zip(self.days, names, strict=True))

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        if self.value() not in self.days:
            return queryset
        return queryset.filter(created_at__gte=timezone.now() - dt.timedelta(days=self.days[self.value()]))


class DeletedFilter(DropdownFilter):  # type: ignore[misc]
    """What was deleted is out of sight until it is asked for."""

    title, parameter_name = "deleted", "deleted"
    all_option = ["", "Not deleted"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: Incidents) -> Incidents:
        return queryset.filter(deleted_at__isnull=self.value() != "yes")


def of_one(queryset: Incidents, column: str, value: str | None) -> Incidents:
    """The incidents with one value in a column, with none, or (no value asked for) all."""
    if not value:
        return queryset
    if value == "none":
        return queryset.filter(**{f"{column}__isnull": True})
    return queryset.filter(**{column: int(value)}) if value.isascii() and value.isdigit() else queryset.none()
