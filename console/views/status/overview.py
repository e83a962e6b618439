"""The status page as the public sees it now, and what can be done about it."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.lists import keyset_page, links_of
from console.pages import RESPONDERS, page, person, show
from console.views.status import reading
from status_page.models import PublicIncident, Subscriber
from status_page.serializers.announcements import visible_incidents
from status_page.services.page import the_page
from status_page.vocabulary import Kind

MOST_PAST = 10


@page(roles=RESPONDERS)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    status_page = the_page()
    groups = reading.shown_groups(reading.page_components())
    present = reading.open_announcements()
    past = list(PublicIncident.objects.exclude(ended_at=None).order_by("-ended_at", "-pk")[:MOST_PAST])
    context = {
        "page": status_page,
        "groups": groups,
        "worst": reading.worst_of(groups),
        "incidents": [one for one in present if one.kind == Kind.INCIDENT],
        "maintenance": sorted(
            (one for one in present if one.kind == Kind.MAINTENANCE), key=lambda one: (one.starts_at, one.pk)
        ),
        "past": past,
        "seen": visible_incidents((*present, *past), person(request)),
        "readers": Subscriber.objects.active().count(),
        "public_url": reading.public_address(status_page),
        "late": reading.lateness(status_page, timezone.now()),
    }
    return show(request, "console/status/overview.html", context)


@page(roles=RESPONDERS)
@require_GET
def announcements(request: HttpRequest) -> HttpResponse:
    """List all, as they were published, the newest first."""
    pages = keyset_page(request, PublicIncident.objects.prefetch_related("components"), by="-id")
    seen = visible_incidents(pages.rows, person(request))
    context = {"announcements": pages.rows, "pages": links_of(pages), "seen": seen}
    return show(request, "console/status/announcements.html", context)
