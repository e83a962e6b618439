"""The SLA report."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from console import charts
from console.charts import Chart
from console.pages import RESPONDERS, page, person, show
from console.reporting import sla
from console.reporting.periods import PRESETS
from console.reporting.scope import Scope, moment_text, scope_of
from console.views.dashboard import csv_response
from core.severity import PRIORITY_WORDS, SEVERITY_WORDS
from incidents.filters import filter_incidents
from incidents.metrics import GROUPINGS, response_metrics
from incidents.models import Category, Incident
from responders.models import Service

OWN = ("days", "from", "to", "group_by", "cursor", "ordering")


@page(roles=RESPONDERS)
def sla_report(request: HttpRequest) -> HttpResponse:
    scope, teams, problem = scope_of(person(request), request.GET.dict(), timezone.now())
    group_by, filters = _group_of(request), _filters_of(request, scope)
    rows, whole = _figures(request, group_by, filters)
    context = {
        "scope": scope,
        "problem": problem,
        "presets": PRESETS,
        "zone": scope.viewer.time_zone,
        "rows": rows,
        "whole": whole,
        "group_by": group_by,
        "selects": _selects(request, [(str(team.pk), team.name) for team in teams]),
        "groupings": _groupings(),
        "grouping": dict(_groupings())[group_by],
        "is_by_time": group_by in ("day", "week", "month"),
        "csv_query": request.GET.urlencode(),
        "clear_query": urlencode({**scope.period.query, "group_by": group_by}),
        "is_filtered": set(filters) - {"created_after", "created_before"},
    }
    return show(request, "console/reports/sla.html", context)


@page(roles=RESPONDERS)
def sla_csv(request: HttpRequest) -> HttpResponse:
    scope, _teams, _problem = scope_of(person(request), request.GET.dict(), timezone.now())
    group_by, filters = _group_of(request), _filters_of(request, scope)
    rows, whole = _figures(request, group_by, filters)
    header = (dict(_groupings())[group_by], *sla.header())
    table = Chart("sla", "", "", "", header, tuple((row.label, *row.cells) for row in (*rows, whole)))
    return csv_response(charts.csv_of(table), f"sla-{group_by}-{scope.period.first}-{scope.period.last}")


def _group_of(request: HttpRequest) -> str:
    wanted = request.GET.get("group_by", "severity")
    return wanted if wanted in GROUPINGS else "severity"


def _filters_of(request: HttpRequest, scope: Scope) -> dict[str, str]:
    """Return the list's filters; without times of their own, those of the days."""
    given = {name: value for name, value in request.GET.items() if name not in OWN and value}
    if "created_after" not in given and "created_before" not in given:
        given |= {"created_after": moment_text(scope.period.start), "created_before": moment_text(scope.period.end)}
    return given


def _figures(request: HttpRequest, group_by: str, filters: dict[str, str]) -> tuple[list[sla.Row], sla.Row]:
    viewer = person(request)
    parameters = QueryDict(urlencode(filters))
    asked: Any = SimpleNamespace(query_params=parameters, GET=parameters, user=viewer)
    incidents = filter_incidents(Incident.objects.visible_to(viewer), asked)
    answer = response_metrics(incidents, is_filtered=True, viewer=viewer, group_by=group_by, now=timezone.now())
    return sla.rows_of(answer, group_by, filters)


def _groupings() -> list[tuple[str, str]]:
    names = {
        "severity": _("Severity"),
        "priority": _("Priority"),
        "category": _("Category"),
        "team": _("Team"),
        "service": _("Service"),
        "day": _("Day"),
        "week": _("Week"),
        "month": _("Month"),
    }
    return [(name, names[name]) for name in GROUPINGS]


def _selects(request: HttpRequest, teams: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the filters offered as menus; others in the address hold as well."""
    categories = Category.objects.active().values_list("slug", "name")
    services = Service.objects.active().values_list("slug", "name")
    offered: list[tuple[str, str, Sequence[tuple[str, Any]]]] = [
        ("severity", _("Severity"), SEVERITY_WORDS),
        ("priority", _("Priority"), PRIORITY_WORDS),
        ("category", _("Category"), list(categories)),
        ("team", _("Team"), [("mine", _("My teams")), ("none", _("No team")), *teams]),
        ("service", _("Service"), list(services)),
    ]
    return [
        {"name": name, "label": label, "options": options, "value": request.GET.get(name, "")}
        for name, label, options in offered
    ]


urlpatterns = [
    path("reports/sla/", sla_report, name="sla-report"),
    path("reports/sla.csv", sla_csv, name="sla-csv"),
]
