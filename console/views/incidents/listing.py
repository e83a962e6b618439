"""The list; its state is its address."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from console import preferences, saved_views
from console.pages import page, person, query, show
from console.rows import COLUMNS, DEFAULT_COLUMNS, present
from console.views.incidents import bar
from core.api.paging import KeysetPagination
from incidents.export import csv_rows
from incidents.filters import INCIDENTS, filter_incidents
from incidents.models import Incident, IncidentQuerySet
from incidents.representation import rows_of
from incidents.views.pages import IncidentPages
from responders.models import Membership
from users.models import User

FOR_RESPONDERS = "is_open=true&ordering=-severity"
FOR_REPORTERS = "ordering=-created_at"
COUNTED = 500
MOST_IDS = 200


@page
def incidents(request: HttpRequest) -> HttpResponse:
    viewer = person(request)
    if not request.GET:
        return redirect(f"{reverse('console:incidents')}?{start_of(viewer)}")
    pages = pages_of(request)
    views = saved_views.of(viewer)
    own = preferences.of(viewer)
    chosen = own.columns or list(DEFAULT_COLUMNS)
    count = selected(request).order_by()[: COUNTED + 1].count()
    context = {
        "incidents": present(pages.rows),
        "pages": pages.get_paginated_response([]).data,
        "preferences": own,
        "columns": chosen,
        "all_columns": [(name, bar.COLUMN_LABELS[name], name in chosen) for name in COLUMNS],
        "sentence": bar.sentence(request.GET, count, COUNTED),
        "count": count,
        "is_more": count > COUNTED,
        "bar": bar.Bar(request.GET, viewer),
        "views": views,
        "canonical": canonical(request.GET),
        "teams": Membership.objects.team_ids_of(viewer) if viewer.is_responder else None,
        "works": viewer.is_admin or viewer.is_responder,
        "most_ids": MOST_IDS,
    }
    return show(request, "console/incidents/list.html", context)


@page
def matching(request: HttpRequest) -> HttpResponse:
    """Return which of some incidents the address's filters match."""
    parameters = request.GET.copy()
    given = [text for text in parameters.pop("ids", [""])[0].split(",") if text.isascii() and text.isdigit()]
    request.GET = parameters  # type: ignore[assignment]  # what the list's declaration reads
    ids = [int(text) for text in given[:MOST_IDS] if len(text) < 19]
    return JsonResponse({"ids": list(selected(request).filter(pk__in=ids).values_list("pk", flat=True))})


@page
def export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    response = StreamingHttpResponse(csv_rows(selected(request)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="incidents-{timezone.now():%Y-%m-%d}.csv"'
    return response


def start_of(user: User) -> str:
    """Return the query that a person's list begins with."""
    own = next((view for view in saved_views.of(user) if view.is_default), None)
    if own is not None:
        return own.query or "is_open="
    return FOR_RESPONDERS if user.is_admin or user.is_responder else FOR_REPORTERS


def selected(request: HttpRequest) -> IncidentQuerySet:
    """Return the incidents that the address's filters match."""
    visible = Incident.objects.visible_to(person(request))
    return filter_incidents(visible, query(request), also=KeysetPagination.parameters)


def pages_of(request: HttpRequest) -> Any:
    """Return the page of the list that the address asks for."""
    viewer = person(request)
    return INCIDENTS.page(
        query(request),
        lambda: rows_of(Incident.objects.visible_to(viewer)),
        asker=Incident.objects.visibility_key(viewer),
        kind=IncidentPages,
    )


def canonical(parameters: QueryDict) -> str:
    """Return the query string of a list, without place and empty filters."""
    kept = parameters.copy()
    kept.pop("cursor", None)
    return kept.urlencode()
