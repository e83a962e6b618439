"""Filters of the incident list, the summary, the export and the metrics."""

import datetime as dt
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.api.paging import KeysetPagination
from core.api.problems import moment_of, refuse, refuse_unknown_parameters
from core.severity import PRIORITY_OF_WORD, SEVERITY_OF_WORD
from incidents import search
from incidents.models import Incident, IncidentQuerySet, Status
from incidents.vocabulary import STATUS_OF_WORD


def _parse_words(name: str, text: str, known: dict[str, Any]) -> list[Any]:
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in known]
    if unknown or not words:
        refuse(
            name,
            _("%(value)s is not one of %(known)s.") % {"value": ", ".join(unknown) or text, "known": ", ".join(known)},
        )
    return [known[word] for word in words]


class IncidentFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter is untyped
    """Filters that narrow the list."""

    status = django_filters.CharFilter(method="by_status", help_text="Comma-separated statuses.")
    is_open = django_filters.CharFilter(method="by_open", help_text="`true` (neither resolved nor closed) or `false`.")
    severity = django_filters.CharFilter(method="by_severity", help_text="Comma-separated: critical, high, medium, low")
    priority = django_filters.CharFilter(method="by_priority", help_text="Comma-separated priorities.")
    category = django_filters.CharFilter(field_name="category__slug", lookup_expr="exactly", help_text="Category slug.")
    team = django_filters.CharFilter(method="by_reference", help_text="Id, or `none` (unassigned).")
    assignee = django_filters.CharFilter(method="by_reference", help_text="Id, `me` or `none`.")
    reporter = django_filters.CharFilter(method="by_reference", help_text="Id or `me`.")
    service = django_filters.CharFilter(method="by_service", help_text="Slug of an affected service.")
    location = django_filters.CharFilter(field_name="location", lookup_expr="exactly", help_text="Exact location.")
    source = django_filters.CharFilter(
        field_name="origin_system", lookup_expr="exactly", help_text="Origin, such as api or import."
    )
    q = django_filters.CharFilter(method="by_text", help_text="Words in reference, title, description or comments.")
    created_after = django_filters.CharFilter(method="by_time", help_text="ISO 8601, inclusive.")
    created_before = django_filters.CharFilter(method="by_time", help_text="ISO 8601, exclusive.")
    breached = django_filters.ChoiceFilter(
        method="by_breach",
        choices=[(word, word) for word in ("ack", "resolve", "any")],
        help_text="Missed targets.",
        error_messages={"invalid_choice": "%(value)s is not one of ack, resolve, any."},
    )

    class Meta:
        model = Incident
        fields: list[str] = []

    def by_status(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        return _one_or_many(incidents, "status", _parse_words(name, value, STATUS_OF_WORD))

    def by_open(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        if value.lower() not in ("true", "false"):
            refuse(name, _("Must be true or false."))
        return incidents.filter(is_open=value.lower() == "true")

    def by_severity(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        return _one_or_many(incidents, "severity", _parse_words(name, value, SEVERITY_OF_WORD))

    def by_priority(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        return _one_or_many(incidents, "priority", _parse_words(name, value, PRIORITY_OF_WORD))

    def by_reference(self, incidents: IncidentQuerySet, name: str, value: str) -> IncidentQuerySet:
        if value == "none" and name != "reporter":
            return incidents.filter(**{f"{name}__isnull": True})
        if value == "me" and name != "team":
            return incidents.filter(**{name: self.request.user})
        if not (value.isascii() and value.isdigit() and len(value) <= 18):
            refuse(name, _("%(value)s is neither an id nor a known keyword.") % {"value": value})
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
    """Return the condition for a missed acknowledgement target, marked or not."""
    return Q(ack_breached=True) | Q(status=Status.OPEN, ack_due_at__lt=now)


def resolve_breached(now: dt.datetime) -> Q:
    """Return the condition for a missed resolution target, marked or not."""
    running = Q(status__in=[Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS])
    return Q(resolve_breached=True) | (running & Q(resolve_due_at__lt=now))


def _one_or_many(incidents: IncidentQuerySet, column: str, codes: list[Any]) -> IncidentQuerySet:
    """Filter by equality where possible, which reads an index in order instead of sorting."""
    return incidents.filter(**({column: codes[0]} if len(codes) == 1 else {f"{column}__in": codes}))


FILTER_NAMES = frozenset(IncidentFilter.base_filters)
CLOCK_FILTERS = frozenset({"breached"})  # depend on the time


def filter_incidents(
    incidents: IncidentQuerySet, request: Request, *, also: frozenset[str] = frozenset(), but: str = ""
) -> IncidentQuerySet:
    """Return the incidents that the query parameters select. Raises ValidationError.

    `also` names further parameters of the route, `but` a filter that the caller applies.
    """
    refuse_unknown_parameters(request, {*FILTER_NAMES, *also})
    parameters = {name: value for name, value in request.query_params.items() if name != but}
    if FILTER_NAMES.isdisjoint(parameters):
        return incidents  # the form costs more than the commonest request
    filters = IncidentFilter(parameters, queryset=incidents, request=request)
    if not filters.is_valid():
        raise ValidationError(filters.errors)
    found: IncidentQuerySet = filters.qs
    return found


LIST_PARAMETERS = KeysetPagination.parameters
