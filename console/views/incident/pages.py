"""The incident's page, its fragments, and how the incident stood earlier."""

import datetime as dt
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from console.pages import RESPONDERS, is_fragment, page, person, show
from console.views.incident import reading, timeline
from console.views.incident.answering import address, header_parts, list_address, list_query
from console.views.incident.neighbours import neighbours
from console.views.incident.reading import incident_of
from core.errors import DomainError
from incidents.models import Incident, IncidentEvent
from incidents.services.standing import state_at
from paging.services.describing import describe
from users.models import User

MOST_CALLS = 8
MOST_STEPS = 200
YEARS = range(2, 9999)  # whose moments exist in every zone


@page
@require_GET
def incident(request: HttpRequest, reference: str) -> HttpResponse:
    """Show the incident, newest events first, or as it stood at `as_of`."""
    found, viewer = incident_of(request, reference), person(request)
    if request.GET.get("as_of"):
        return _as_of(request, found, request.GET["as_of"])
    chip = request.GET.get("show", "all")
    chips = timeline.chips_for(viewer)
    if chip not in dict(chips):
        chip = "all"
    before = timeline.number_in(request.GET.get("before"))
    context = {
        **reading.page_context(found, viewer),
        **_surroundings(request, found, viewer),
        "entries": timeline.entries_of(found, viewer, chip=chip, before=before),
        "chips": chips,
        "chip": chip,
        "before": before,
        "client_uid": uuid.uuid4(),
        "with_side": True,
    }
    return show(request, "console/incident/page.html", context)


def _surroundings(request: HttpRequest, incident: Incident, viewer: User) -> dict[str, Any]:
    query = list_query(request)
    previous, following = neighbours(incident, viewer, query)
    return {
        "list": query,
        "list_url": list_address(query),
        "previous_url": address(previous, query) if previous else "",
        "next_url": address(following, query) if following else "",
        "undo_next": address(incident.pk, query),
        "reference": incident.reference,
    }


@page
@require_GET
def updates(request: HttpRequest, reference: str) -> HttpResponse:
    """Return the header, and the events after a number."""
    found = incident_of(request, reference)
    return header_parts(request, found, timeline.number_in(request.GET.get("after")))


@page(roles=RESPONDERS)
@require_GET
def escalation(request: HttpRequest, reference: str) -> HttpResponse:
    """Show who is called next if nobody answers."""
    found = incident_of(request, reference)
    context = {
        "incident": found,
        "back": address(found.pk, list_query(request)),
        "steps": describe(found)["next"][:MOST_CALLS],
        "body": "console/incident/_escalation.html",
    }
    template = "_escalation" if is_fragment(request) else "escalation"
    return show(request, f"console/incident/{template}.html", context)


def _as_of(request: HttpRequest, incident: Incident, text: str) -> HttpResponse:
    moment = _moment(text)
    viewer = person(request)
    steps = _steps(incident)
    state = state_at(incident, moment)
    place = max((number for number, step in enumerate(steps) if step <= moment), default=0)
    query = list_query(request)
    before = timeline.number_in(request.GET.get("before"))
    context = {
        "incident": incident,
        "state": _told(state),
        "moment": moment,
        "list": query,
        "steps": [_written(step) for step in steps],
        "place": place,
        "earlier": address(incident.pk, query, as_of=_written(steps[place - 1])) if place > 0 else "",
        "later": address(incident.pk, query, as_of=_written(steps[place + 1])) if place + 1 < len(steps) else "",
        "back": address(incident.pk, query),
        "entries": timeline.entries_of(incident, viewer, until=moment, before=before),
    }
    return show(request, "console/incident/as_of.html", context)


def _moment(text: str) -> dt.datetime:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in YEARS:
        raise DomainError(_("Give a moment with its zone, such as 2026-03-29T02:30:00Z."), field="as_of")
    return moment


def _steps(incident: Incident) -> list[dt.datetime]:
    """Return the moments of the latest changes, in order."""
    events = IncidentEvent.objects.filter(incident=incident, kind__in=timeline.CHANGES).order_by("-seq")
    return sorted(dict.fromkeys(events.values_list("occurred_at", flat=True)[:MOST_STEPS]))


def _written(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _told(state: dict[str, Any]) -> dict[str, Any]:
    names = {name: (state[name] or {}).get("name", "") for name in ("team", "assignee", "reporter")}
    times = ("ack_due_at", "resolve_due_at", "acknowledged_at", "resolved_at", "closed_at", "created_at")
    moments = {name: parse_datetime(state[name]) if state[name] else None for name in times}
    return {**state, **names, **moments}
