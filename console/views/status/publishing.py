"""Publish an incident or plan maintenance, with a preview of what the public will see."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from console.configuration import refusals_on
from console.forms.fields import zone_help
from console.forms.status.announcing import IMPACT_OF, AnnouncingForm, PlanForm, PublishForm, filled_from
from console.pages import RESPONDERS, page, person, say, show
from console.views.incident.reading import incident_of
from console.views.status import reading
from console.views.status.sending import made_once, new_uid
from core.severity import Severity
from incidents.models import Incident, Origin
from status_page.models import Component, StatusPage, UpdateTemplate
from status_page.permissions import require_publisher
from status_page.services import maintenance, publishing
from status_page.services.page import languages_of, the_page
from status_page.services.telling import interested_in
from status_page.vocabulary import Impact, Kind, State

MOST_TEMPLATES = 200


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest) -> HttpResponse:
    """Publish an incident; `?incident=INC-12` fills in what may be said of it."""
    return _announce(request, PublishForm, Kind.INCIDENT)


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def plan(request: HttpRequest) -> HttpResponse:
    return _announce(request, PlanForm, Kind.MAINTENANCE)


def _announce(request: HttpRequest, form_class: type[AnnouncingForm], kind: Kind) -> HttpResponse:
    incident = _incident(request)
    status_page, components = the_page(), reading.page_components()
    do = request.POST.get("do", "")
    begins = {"client_uid": new_uid(request), **(_proposal(incident, components) if incident else {})}
    make = partial(form_class, languages=languages_of(status_page), components=components)
    if do == "template":
        form = make(initial={**begins, **_typed(request), **_template(request, kind)})
    else:
        form = make(request.POST or None, initial=begins)
    if form.is_valid() and do == "publish":
        with refusals_on(form):
            pk = made_once(request, partial(_make, request, form, kind, incident))
            _said(request, form, kind)
            return redirect("console:status-announcement", pk)
    return _show(request, form, kind, incident, status_page, components)


def _make(request: HttpRequest, form: AnnouncingForm, kind: Kind, incident: Incident | None) -> int:
    work = publishing.publish if kind == Kind.INCIDENT else maintenance.plan
    made = work(by=person(request), incident=incident, origin=Origin.CONSOLE, **form.as_service())
    return int(made.pk)


def _said(request: HttpRequest, form: AnnouncingForm, kind: Kind) -> None:
    say(request, _("Published.") if kind == Kind.INCIDENT else _("The maintenance is announced."))
    if lacking := form.missing():
        words = {"languages": ", ".join(lacking), "main": form.main_language}
        say(request, _("Texts are missing in %(languages)s; readers see %(main)s.") % words, is_problem=True)


def _show(
    request: HttpRequest,
    form: AnnouncingForm,
    kind: Kind,
    incident: Incident | None,
    status_page: StatusPage,
    components: list[Component],
) -> HttpResponse:
    is_shown = form.is_bound and form.is_valid()
    chosen = set(form.cleaned_data["components"]) if is_shown else set()
    context = {
        "form": form,
        "kind": kind.value,
        "incident": incident,
        "published": reading.publications_of(incident) if incident else [],
        "templates": UpdateTemplate.objects.filter(kind=kind)[:MOST_TEMPLATES],
        "editions": _editions(form, kind, status_page, components) if is_shown else [],
        "readers": interested_in(chosen).count(),
        "takes_subscribers": status_page.takes_subscribers,
        "has_components": bool(components),
        "zone": zone_help(),
        "is_private": status_page.is_private,
    }
    return show(request, "console/status/publish.html", context, status=422 if form.errors else 200)


def _editions(
    form: AnnouncingForm, kind: Kind, status_page: StatusPage, components: list[Component]
) -> list[reading.Edition]:
    given = form.cleaned_data
    chosen = set(given["components"])
    return reading.editions(
        status_page,
        title=given["title"],
        message=given["message"],
        state=given["state"] if kind == Kind.INCIDENT else State.SCHEDULED,
        impact=given["impact"] if kind == Kind.INCIDENT else Impact.MAINTENANCE,
        components=[one for one in components if one.pk in chosen],
        translations=form.translations(),
    )


def _incident(request: HttpRequest) -> Incident | None:
    reference = (request.POST.get("incident") or request.GET.get("incident") or "").strip()
    if not reference:
        return None
    incident = incident_of(request, reference)
    require_publisher(person(request), incident)
    return incident


def _proposal(incident: Incident, components: list[Component]) -> dict[str, Any]:
    """Return what a publication begins with: never the description, which was written for colleagues."""
    services = set(incident.services.values_list("pk", flat=True))
    return {
        "title": incident.title,
        "impact": IMPACT_OF[Severity(incident.severity)],
        "components": [one.pk for one in components if one.service_id in services],
    }


def _typed(request: HttpRequest) -> dict[str, Any]:
    """Return what the form was sent with, as another begins."""
    given: dict[str, Any] = {name: value for name, value in request.POST.items() if value}
    given["components"] = [
        int(one) for one in request.POST.getlist("components") if one.isascii() and one.isdigit() and len(one) < 19
    ]
    return {**given, "tell": "tell" in request.POST}


def _template(request: HttpRequest, kind: Kind) -> dict[str, Any]:
    number = request.POST.get("template", "")
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    found = UpdateTemplate.objects.filter(kind=kind, pk=number).first() if is_number else None
    return filled_from(found) if found else {}
