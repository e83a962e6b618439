"""Propose a run for an incident: choose, fill in, see what would happen, propose."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from console.forms.remediation import ParametersForm
from console.pages import RESPONDERS, page, person, say, show
from console.views.incident.reading import incident_of
from console.views.incident.urls import ONE
from console.views.remediation import reading
from core.errors import Conflict, DomainError, NotFound
from incidents.models import Incident, Origin
from remediation.models import Runbook
from remediation.permissions import require_propose
from remediation.services import proposing
from remediation.steps.parameters import parameters_of
from users.models import User


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, reference: str) -> HttpResponse:
    incident, viewer = incident_of(request, reference), person(request)
    require_propose(viewer, incident)
    if not incident.is_still_open:
        raise Conflict(_("The incident is no longer open."), code="incident_closed")
    named = request.POST.get("runbook") or request.GET.get("runbook")
    if not named:
        return show(request, "console/remediation/choose.html", {**_shared(incident), "runbooks": _offered()})
    runbook = _runbook(named)
    version = proposing.version_of(runbook)
    services = incident.services.order_by("name").values_list("slug", flat=True)
    given = request.POST if request.method == "POST" else None
    form = ParametersForm(given, parameters_of(version.parameters), services=services)
    context: dict[str, Any] = {**_shared(incident), "runbook": runbook, "version": version, "form": form}
    if not form.is_valid():
        status = 400 if given is not None else 200
        return show(request, "console/remediation/propose.html", context, status=status)
    return _answer(request, context, form, viewer)


def _answer(request: HttpRequest, context: dict[str, Any], form: ParametersForm, viewer: User) -> HttpResponse:
    """Store the run, or show what it would be; refusals stand on the form."""
    incident, runbook = context["incident"], context["runbook"]
    status = 200
    try:
        if "propose" in request.POST:
            made = proposing.propose(incident, runbook, by=viewer, parameters=form.values(), origin=Origin.CONSOLE)
            say(request, _("Proposed. Who may approve it was told."))
            return redirect("console:run", made.run.pk)
        found = proposing.preview(incident, runbook, by=viewer, parameters=form.values())
        targets = sum(len(of_step) for of_step in found.bound.targets)
        steps = reading.steps_of_preview(found.version, found.values, found.bound.targets)
        context |= {"preview": found, "steps": steps, "targets": targets}
    except DomainError as error:
        faults = error.extra.get("parameters")
        if isinstance(faults, dict):
            form.add_faults(faults)
        else:
            form.add_error(None, error.message)
        status = error.status
    return show(request, "console/remediation/propose.html", context, status=status)


def _shared(incident: Incident) -> dict[str, Any]:
    return {"incident": incident, **reading.surroundings()}


def _offered() -> list[Runbook]:
    found = Runbook.objects.filter(is_enabled=True, current__isnull=False)
    return list(found.select_related("current").order_by("paused_at", "name"))


def _runbook(named: str) -> Runbook:
    is_number = named.isascii() and named.isdigit() and len(named) < 19
    found = Runbook.objects.filter(pk=int(named), current__isnull=False).first() if is_number else None
    if found is None:
        raise NotFound(_("This runbook does not exist."))
    return found


urlpatterns = [path(f"{ONE}runs/new/", propose, name="run-new")]
