"""Routes in their order, and what would become of an alert."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from alerts.models import Route
from alerts.serializers.routing import OrderSerializer, RouteSerializer
from alerts.serializers.simulation import RouteSimulationSerializer
from alerts.services.ordering import reorder_routes
from alerts.services.simulating import contributors, simulate
from console.configuration import add_refusals, store
from console.forms.routes import RouteForm, SimulationForm, initial_of
from console.pages import ADMINS, RESPONDERS, is_fragment, page, person, say, show
from console.views.silences import label_names
from core.db.deleting import delete_configuration
from core.errors import DomainError, NotFound
from incidents.models import Category
from responders.models import Service, Team

MOST_SHOWN = 1000  # on one page, for dragging anywhere


@page(roles=RESPONDERS)
def routes(request: HttpRequest) -> HttpResponse:
    rows = list(Route.objects.select_related("team", "service", "category")[:MOST_SHOWN])
    return show(request, "console/routes/list.html", {"routes": rows, "may_write": person(request).is_admin})


@page(roles=ADMINS)
def new_route(request: HttpRequest) -> HttpResponse:
    form = RouteForm(request.POST or None)
    if form.is_valid() and store(form, RouteSerializer, form.as_api(), by=person(request)):
        say(request, _("The route stands last. Move it up if it must decide before others."))
        return redirect("console:routes")
    return _show_form(request, form, _("New route"))


@page(roles=ADMINS)
def edit_route(request: HttpRequest, pk: int) -> HttpResponse:
    route = _route(pk)
    form = RouteForm(request.POST or None, initial=initial_of(route))
    if form.is_valid() and store(form, RouteSerializer, form.as_api(), by=person(request), instance=route):
        say(request, _("Saved."))
        return redirect("console:routes")
    return _show_form(request, form, _("Edit the route"), route)


@page(roles=ADMINS)
@require_POST
def delete_route(request: HttpRequest, pk: int) -> HttpResponse:
    route = _route(pk)
    delete_configuration(route, by=person(request))
    say(request, _("The route %(name)s is deleted.") % {"name": route.name})
    return redirect("console:routes")


@page(roles=ADMINS)
@require_POST
def order(request: HttpRequest) -> HttpResponse:
    """Put the routes in the order of `ids`, one of them moved `up` or `down`."""
    form = OrderSerializer(data={"ids": request.POST.getlist("ids")})
    form.is_valid(raise_exception=True)
    ids = moved(form.validated_data["ids"], request.POST)
    reorder_routes(ids, by=person(request))
    if is_fragment(request):
        return HttpResponse(status=204)
    return redirect("console:routes")


@page(roles=RESPONDERS)
def simulator(request: HttpRequest) -> HttpResponse:
    form = SimulationForm(request.POST or None)
    results = _simulated(form, request) if form.is_valid() else None
    context = {"form": form, "results": results, "label_names": label_names(person(request))}
    return show(request, "console/routes/simulator.html", context, status=422 if form.errors else 200)


def _simulated(form: SimulationForm, request: HttpRequest) -> list[dict[str, Any]] | None:
    serializer = RouteSimulationSerializer(data=form.as_api())
    try:
        serializer.is_valid(raise_exception=True)
        answer = simulate(**serializer.validated_data, viewer=person(request))
        if not answer["alerts"]:
            raise DomainError(_("The payload contains no alert."), field="payload")
    except ValidationError as error:
        add_refusals(form, error.detail)
        return None
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None
    return _named(answer["alerts"])


def _named(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return results with names in place of keys, and what other apps add as lines."""
    openings = [result["opening"] or {} for result in results]
    teams = Team.objects.in_bulk({opening["team"] for opening in openings if opening.get("team")})
    categories = _by_slug(Category, {opening.get("category") for opening in openings})
    services = _by_slug(Service, {slug for opening in openings for slug in opening.get("services", [])})
    return [
        {
            **result,
            "team": teams.get(opening.get("team")),
            "category": categories.get(opening.get("category")),
            "services": [services[slug] for slug in opening.get("services", []) if slug in services],
            "added": [(one.title, one.lines(result[one.name])) for one in contributors],
        }
        for result, opening in zip(results, openings, strict=True)
    ]


def _by_slug(model: Any, slugs: set[str | None]) -> dict[str, Any]:
    return {row.slug: row for row in model.objects.filter(slug__in=slugs - {None})}


def moved(ids: list[int], given: Any) -> list[int]:
    """Return the ids with the one that a form moves up or down in its new place."""
    for step, name in ((-1, "up"), (1, "down")):
        text = given.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 19 and int(text) in ids:
            at = ids.index(int(text))
            to = min(max(at + step, 0), len(ids) - 1)
            ids.insert(to, ids.pop(at))
    return ids


def _route(pk: int) -> Route:
    found = Route.objects.select_related("service", "category").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Route %(id)s does not exist.") % {"id": pk})
    return found


def _show_form(request: HttpRequest, form: RouteForm, title: str, route: Route | None = None) -> HttpResponse:
    context = {"form": form, "title": title, "route": route, "label_names": label_names(person(request))}
    return show(request, "console/routes/form.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("routes/", routes, name="routes"),
    path("routes/new/", new_route, name="route-new"),
    path("routes/order/", order, name="route-order"),
    path("routes/simulator/", simulator, name="route-simulator"),
    path("routes/<int:pk>/", edit_route, name="route"),
    path("routes/<int:pk>/delete/", delete_route, name="route-delete"),
]
