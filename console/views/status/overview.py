"""The status page as the public sees it now, and what can be done about it."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from console.pages import RESPONDERS, page, person, show
from console.views.status import reading
from incidents.models import Incident
from status_page.models import PublicIncident, Subscriber
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
    numbers = {one.incident_id for one in (*present, *past) if one.incident_id}
    seen = Incident.objects.visible_to(person(request)).filter(pk__in=numbers).order_by().values_list("pk", flat=True)
    context = {
        "page": status_page,
        "groups": groups,
        "worst": reading.worst_of(groups),
        "incidents": [one for one in present if one.kind == Kind.INCIDENT],
        "maintenance": sorted(
            (one for one in present if one.kind == Kind.MAINTENANCE), key=lambda one: (one.starts_at, one.pk)
        ),
        "past": past,
        "seen": set(seen) if numbers else set(),
        "readers": Subscriber.objects.active().count(),
        "public_url": reading.public_address(status_page),
        "late": reading.lateness(status_page, timezone.now()),
    }
    return show(request, "console/status/overview.html", context)
