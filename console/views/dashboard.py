"""The dashboard: this moment, and the figures of a span of days."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console import charts, preferences
from console.pages import RESPONDERS, back_to, page, person, say, show
from console.reporting.cards import CARDS, chosen, rendered_cards, whole_card
from console.reporting.now import SOON_MINUTES, now_of
from console.reporting.periods import PRESETS
from console.reporting.scope import MINE, NONE, Scope, scope_of
from responders.models import Team


@page
def dashboard(request: HttpRequest) -> HttpResponse:
    viewer = person(request)
    if not (viewer.is_admin or viewer.is_responder):
        return redirect("console:incidents")
    now = timezone.now()
    scope, teams, problem = scope_of(viewer, request.GET.dict(), now)
    theirs = preferences.of(viewer)
    names = chosen(theirs.dashboard)
    context = {
        **choices(scope, teams, problem),
        "preferences": theirs,
        "now": now_of(scope, now),
        "soon_minutes": SOON_MINUTES,
        "cards": rendered_cards(names, scope),
        "query": urlencode(scope.query),
    }
    return show(request, "console/dashboard/dashboard.html", context)


@page(roles=RESPONDERS)
def now_strip(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    scope, _teams, _problem = scope_of(person(request), request.GET.dict(), now)
    return show(request, "console/dashboard/_now.html", {"now": now_of(scope, now), "soon_minutes": SOON_MINUTES})


@page(roles=RESPONDERS)
def card_csv(request: HttpRequest, name: str) -> HttpResponse:
    if name not in CARDS:
        raise Http404
    scope, _teams, _problem = scope_of(person(request), request.GET.dict(), timezone.now())
    return csv_response(charts.csv_of(whole_card(name, scope).chart), f"{name}-{days_of(scope)}")


@page(roles=RESPONDERS)
def arrange(request: HttpRequest) -> HttpResponse:
    shown = chosen(preferences.of(person(request)).dashboard)
    hidden = [name for name in CARDS if name not in shown]
    cards = [{"name": name, "title": CARDS[name][0], "is_shown": name in shown} for name in (*shown, *hidden)]
    return show(request, "console/dashboard/arrange.html", {"cards": cards})


@require_POST
@page(roles=RESPONDERS)
def keep_arrangement(request: HttpRequest) -> HttpResponse:
    viewer, arrange_url = person(request), reverse("console:dashboard-cards")
    if "reset" in request.POST:
        preferences.set_preferences(viewer, dashboard={})
        say(request, _("All cards are shown again, in their usual order."))
        return back_to(request, arrange_url)
    order = list(dict.fromkeys(name for name in request.POST.getlist("order") if name in CARDS))
    order += [name for name in CARDS if name not in order]
    moved, _space, direction = request.POST.get("move", "").partition(" ")
    if moved in order:
        place = order.index(moved)
        order.insert(max(place + (-1 if direction == "up" else 1), 0), order.pop(place))
    shown = set(request.POST.getlist("shown"))
    preferences.set_preferences(viewer, dashboard={"cards": [name for name in order if name in shown]})
    if not moved:
        say(request, _("Your dashboard is arranged."))
    return redirect(arrange_url if moved else "console:dashboard")


def choices(scope: Scope, teams: list[Team], problem: str) -> dict[str, Any]:
    """Return what the bar of days and teams shows."""
    special = [("", _("All teams")), (MINE, _("My teams")), (NONE, _("No team"))]
    return {
        "scope": scope,
        "problem": problem,
        "presets": PRESETS,
        "teams": [*special, *((str(team.pk), team.name) for team in teams)],
        "zone": scope.viewer.time_zone,
    }


def csv_response(text: str, name: str) -> HttpResponse:
    """Return a file to download."""
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def days_of(scope: Scope) -> str:
    return f"{scope.period.first.isoformat()}-{scope.period.last.isoformat()}"


urlpatterns = [
    path("", dashboard, name="dashboard"),
    path("dashboard/now/", now_strip, name="dashboard-now"),
    path("dashboard/cards/", arrange, name="dashboard-cards"),
    path("dashboard/cards/keep/", keep_arrangement, name="dashboard-cards-keep"),
    path("dashboard/<slug:name>.csv", card_csv, name="dashboard-csv"),
]
