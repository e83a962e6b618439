"""What the public sees of an incident beside what we see."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from console.pages import RESPONDERS, page, person, show
from console.views.incident import timeline
from console.views.incident.reading import incident_of
from console.views.status import reading
from status_page.models import PublicIncident, PublicUpdate
from status_page.vocabulary import StatusEventKind


@dataclass(frozen=True)
class Row:
    """An entry of the timeline, or an update to the public."""

    at: dt.datetime
    entry: timeline.Entry | None = None
    update: PublicUpdate | None = None


@page(roles=RESPONDERS)
@require_GET
def public(request: HttpRequest, reference: str) -> HttpResponse:
    """Show both in columns, by time."""
    found, viewer = incident_of(request, reference), person(request)
    before = timeline.number_in(request.GET.get("before"))
    entries = timeline.entries_of(found, viewer, before=before)
    published = reading.with_updates(found)
    context = {
        "incident": found,
        "published": published,
        "rows": _rows(entries, published, is_later=before is not None),
        "older": entries.older,
        "may_publish": reading.may_publish(viewer, found),
        "disagrees": reading.disagreement(found, published),
    }
    return show(request, "console/incident/public.html", context)


def _rows(entries: timeline.Entries, published: Iterable[PublicIncident], *, is_later: bool) -> list[Row]:
    """Return both, the newest first; updates as far as the entries of this page go."""
    own = [
        Row(entry.event.occurred_at, entry=entry)
        for _day, day in entries.days
        for entry in day
        if entry.event.kind not in StatusEventKind.values
    ]
    told = [Row(update.at, update=update) for one in published for update in one.updates.all()]
    if own and is_later:
        told = [row for row in told if row.at <= own[0].at]
    if own and entries.older:
        told = [row for row in told if row.at >= own[-1].at]
    return sorted((*own, *told), key=lambda row: row.at, reverse=True)
