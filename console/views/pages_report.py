"""The pages behind the load of people: who was paged when, by their own clocks, for what."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from console.pages import RESPONDERS, page, person, show
from console.reporting.cards import Sources
from console.reporting.scope import Scope, scope_of
from console.views.dashboard import choices
from core.text.zones import zone_named
from incidents.models import Incident
from paging.models import Page
from paging.services.load import Marked, marked_pages

MOST_SHOWN = 200


@page(roles=RESPONDERS)
def pages_report(request: HttpRequest) -> HttpResponse:
    scope, teams, problem = scope_of(person(request), request.GET.dict(), timezone.now())
    wanted, kind = request.GET.get("person", ""), request.GET.get("kind", "")
    found = _pages_of(scope, int(wanted), kind) if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else []
    kept = [(name, request.GET[name]) for name in ("person", "kind") if request.GET.get(name)]
    context = {
        **choices(scope, teams, problem),
        "kept": kept,
        "kind": kind,
        "kinds": [("", _("All pages")), ("night", _("At night")), ("repeat", _("Repeats"))],
        "person_id": wanted,
        "loads": Sources(scope).loads,
        "pages": _shown(found[:MOST_SHOWN]),
        "count": len(found),
        "most": MOST_SHOWN,
        "incidents_url": reverse("console:incidents"),
    }
    return show(request, "console/reports/pages.html", context)


def _pages_of(scope: Scope, user_id: int, kind: str) -> list[Marked]:
    """Return one person's pages, newest first."""
    visible = scope.narrowed(Incident.objects.visible_to(scope.viewer))
    marked = marked_pages(visible, scope.period.start, scope.period.end, user_ids=[user_id])
    chosen = {"night": lambda one: one.night is not None, "repeat": lambda one: one.is_repeat}.get(kind, bool)
    return [one for one in marked if chosen(one)][::-1]


def _shown(marked: list[Marked]) -> list[dict[str, Any]]:
    ids = [one.page.page_id for one in marked]
    rows = Page.objects.select_related("incident").in_bulk(ids)
    return [
        {
            "row": rows[one.page.page_id],
            "zone": zone_named(one.page.time_zone),
            "is_night": one.night is not None,
            "is_repeat": one.is_repeat,
        }
        for one in marked
        if one.page.page_id in rows
    ]


urlpatterns = [path("reports/pages/", pages_report, name="pages-report")]
