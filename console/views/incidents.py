"""The list of incidents; its state is its address."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from console import preferences
from console.pages import page, person, query, show
from console.rows import DEFAULT_COLUMNS, present
from incidents.filters import INCIDENTS
from incidents.models import Incident
from incidents.representation import rows_of
from incidents.views.pages import IncidentPages
from users.models import User

FOR_RESPONDERS = "is_open=true&ordering=-severity"
FOR_REPORTERS = "ordering=-created_at"


@page
def incidents(request: HttpRequest) -> HttpResponse:
    viewer = person(request)
    if not request.GET:
        return redirect(f"{reverse('console:incidents')}?{start_of(viewer)}")
    pages = pages_of(request)
    context = {
        "incidents": present(pages.rows),
        "pages": pages.get_paginated_response([]).data,
        "columns": preferences.of(viewer).columns or DEFAULT_COLUMNS,
    }
    return show(request, "console/incidents/list.html", context)


def start_of(user: User) -> str:
    """Return the query that a person's list begins with."""
    return FOR_RESPONDERS if user.is_admin or user.is_responder else FOR_REPORTERS


def pages_of(request: HttpRequest) -> Any:
    """Return the page of the list that the address asks for."""
    viewer = person(request)
    return INCIDENTS.page(
        query(request),
        lambda: rows_of(Incident.objects.visible_to(viewer)),
        asker=Incident.objects.visibility_key(viewer),
        kind=IncidentPages,
    )


urlpatterns = [path("incidents/", incidents, name="incidents")]
