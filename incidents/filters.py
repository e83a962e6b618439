"""The filters of the incident list; summary, export and metrics take the same."""

import datetime as dt
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.api.paging import KeysetPagination
from core.api.problems import moment_of, refuse, refuse_unknown_parameters
from core.severity import PRIORITY_OF_WORD, SEVERITY_OF_WORD
from incidents import search
from incidents.models import Incident, IncidentQuerySet, Status
from incidents.vocabulary import STATUS_OF_WORD


def _codes(name: str, text: str, known: dict[str, Any]) -> list[Any]:
    """A comma list of words as what is stored for them; 400 names the word that is not known."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in known]
    if unknown or not words:
        refuse(name, f"{', '.join(unknown) or text} is not one of {', '.join(known)}.")
    return [known[word] for word in words]


class IncidentFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter is untyped
    """Each filter narrows; lists are comma-separated; unknown names are refused with 400."""

    status = django_filters.CharFilter(method="by_status", help_text="Comma list of statuses.")
    is_open = django_filters.CharFilter(method="by_open", help_text="`true` (not yet resolved or closed) or `false`.")
    severity = django_filters.CharFilter(method="by_severity", help_text="Comma list: critical, high, medium, low.")
    priority = django_filters.CharFilter(method="by_priority", help_text="Comma list: p1, p2, p3, p4.")
    category = django_filters.CharFilter(field_name="category__slug", lookup_expr="exactly", help_text="Slug.")
    team = django_filters.CharFilter(method="by_reference", help_text="Id, or `none` (unassigned).")
    assignee = django_filters.CharFilter(method="by_reference", help_text="Id, `me` or `none`.")
    reporter = django_filters.CharFilter(method="by_reference", help_text="Id or `me`.")
    service = django_filters.CharFilter(method="by_service", help_text="Slug of an affected service.")
    location = django_filters.CharFilter(field_name="location", lookup_expr="exactly", help_text="Exact.")
    source = django_filters.CharFilter(
        field_name="origin_system", lookup_expr="exactly", help_text="What opened it, such as api or import."
    )
    q = django_filters.CharFilter(method="by_text", help_text="Words in reference, title, description and comments.")
    created_after = django_filters.CharFilter(method="by_time", help_text="A time (ISO 8601), itself included.")
    created_before = django_filters.CharFilter(method="by_time", help_text="A time (ISO 8601), itself not included.")
    breached = django_filters.ChoiceFilter(
        method="by_breach",
        choices=[(word, word) for word in ("ack", "resolve", "any")],
        help_text="Targets missed.",
        error_messages={"invalid_choice": "%(value)s is not one of ack, resolve, any."},
    )

    class Meta:
        model = Incident
        fields: list[str] = []

    def by_status(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        return _one_or_many(incidents, "status", _codes(name, value, STATUS_OF_WORD))

    def by_open(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        if value.lower() not in ("true", "false"):
            refuse(name, "Say true or false.")
        return incidents.filter(is_open=value.lower() == "true")

    def by_severity(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        return _one_or_many(incidents, "severity", _codes(name, value, SEVERITY_OF_WORD))

    def by_priority(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        return _one_or_many(incidents, "priority", _codes(name, value, PRIORITY_OF_WORD))

    def by_reference(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        if value == "none" and name != "reporter":
            return incidents.filter(**{f"{name}__isnull": True})
        if value == "me" and name != "team":
            return incidents.filter(**{name: self.request.user})
        if not (value.isascii() and value.isdigit() and len(value) <= 18):
            refuse(name, f"{value} is neither an id nor a word this filter knows.")
        return incidents.filter(**{f"{name}_id": int(value)})

    def by_service(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        through = Incident.services.through.objects
        return incidents.filter(Exists(through.filter(incident=OuterRef("pk"), service__slug__exactly=value)))

    def by_text(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        user = self.request.user
        return search.filter_matching(incidents, value, reads_internal=user.is_admin or user.is_responder)

    def by_time(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        lookup = {"created_after": "created_at__gte", "created_before": "created_at__lt"}[name]
        return incidents.filter(**{lookup: moment_of(name, value)})

    def by_breach(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        now = timezone.now()
        conditions = {"ack": ack_breached(now), "resolve": resolve_breached(now)}
        conditions["any"] = conditions["ack"] | conditions["resolve"]
        return incidents.filter(conditions[value])


def ack_breached(now: dt.datetime) -> Q:
    """Marked as not acknowledged in time, or past due at this moment."""
    return Q(ack_breached=True) | Q(status=Status.OPEN, ack_due_at__lt=now)


def resolve_breached(now: dt.datetime) -> Q:
    """Marked as not resolved in time, or past due at this moment and not on hold."""
    running = Q(status__in=[Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS])
    return Q(resolve_breached=True) | (running & Q(resolve_due_at__lt=now))


def _one_or_many(incidents: IncidentQuerySet, column: str, codes: list[Any]) -> IncidentQuerySet:
    """One value as an equation: that lets the database walk an index in order, where a list would make it sort."""
    return incidents.filter(**({column: codes[0]} if len(codes) == 1 else {f"{column}__in": codes}))


FILTER_NAMES = frozenset(IncidentFilter.base_filters)
CLOCK_FILTERS = frozenset({"breached"})  # the same text means something else a moment later


def filtered(
    incidents: IncidentQuerySet, request: Request, *, also: frozenset[str] = frozenset(), but: str = ""
) -> IncidentQuerySet:
    """The incidents the query parameters ask for; 400 for parameters nobody reads and values nobody understands.

    `also` names further parameters of the route, `but` a filter that the caller applies itself.
    """
    refuse_unknown_parameters(request, {*FILTER_NAMES, *also})
    parameters = {name: value for name, value in request.query_params.items() if name != but}
    if FILTER_NAMES.isdisjoint(parameters):
        return incidents  # the commonest request by far needs no form of seventeen fields
    filters = IncidentFilter(parameters, queryset=incidents, request=request)
    if not filters.is_valid():
        raise ValidationError(filters.errors)
    found: IncidentQuerySet = filters.qs
    return found


LIST_PARAMETERS = KeysetPagination.parameters
