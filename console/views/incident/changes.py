"""Change an incident's fields, assignment and access; two people's edits never overwrite each other."""

from functools import partial

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from console import undo
from console.pages import page, person
from console.views.incident.answering import ask, attempt, done, seen
from console.views.incident.forms import AccessForm, AssignmentForm, ChangeForm, DetailsForm, ReportForm, SeverityForm
from console.views.incident.races import races
from console.views.incident.reading import incident_of
from core.errors import StaleVersion
from incidents import services
from incidents.models import Incident, Origin
from incidents.permissions import REPORTER_FIELDS, require_edit, require_work

ATTEMPTS = 3
GROUPS = {
    "report": (ReportForm, gettext_lazy("Edit the report")),
    "details": (DetailsForm, gettext_lazy("Edit details")),
    "severity": (SeverityForm, gettext_lazy("Change severity")),
    "assignment": (AssignmentForm, gettext_lazy("Assign or hand over")),
    "access": (AccessForm, gettext_lazy("Change who sees it")),
}


@page
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, reference: str, group: str) -> HttpResponse:
    incident = incident_of(request, reference)
    if group not in GROUPS:
        raise Http404
    if group == "report":
        require_edit(person(request), incident, REPORTER_FIELDS)
    else:
        require_work(person(request), incident)
    kind, title = GROUPS[group]
    form = kind(incident, request.POST or None)
    answer = partial(ask, request, incident, title, form)
    if request.method != "POST":
        return answer(_("Save"))
    if not form.is_valid():
        return answer(_("Save"), status=400)
    if others := races(incident, seen(request), form.edited):
        return answer(_("Save anyway"), status=409, races=others)
    return _save(request, incident, form, answer)


def _save(request: HttpRequest, incident: Incident, form: ChangeForm, answer: "partial[HttpResponse]") -> HttpResponse:
    edited = form.edited
    if not edited:
        return done(request, incident.pk, _("Nothing changed."))
    for _attempt in range(ATTEMPTS):
        before = undo.snapshot(incident)
        work = partial(
            services.update,
            incident.pk,
            by=person(request),
            fields=edited,
            note=form.note,
            grants_access=form.is_granted,
            origin=Origin.CONSOLE,
            expected_versions=[incident.version],
        )
        error = attempt(form, work)
        if error is None:
            return done(request, incident.pk, _("Saved."), before)
        if not isinstance(error, StaleVersion):
            return answer(_("Save"), status=error.status)
        form.errors.clear()
        number = incident.event_count
        incident.refresh_from_db()
        if others := races(incident, number, edited):
            return answer(_("Save anyway"), status=409, races=others)
    return answer(_("Save"), status=409)


@page
@require_POST
def take(request: HttpRequest, reference: str) -> HttpResponse:
    """Assign the incident to the person."""
    incident = incident_of(request, reference)
    by = person(request)
    before = undo.snapshot(incident)
    changed = services.update(incident, by=by, fields={"assignee": by}, grants_access=False, origin=Origin.CONSOLE)
    return done(request, incident.pk, _("Assigned to you."), before, version=changed.version)


@page
@require_POST
def release(request: HttpRequest, reference: str) -> HttpResponse:
    """Leave the incident to nobody."""
    incident = incident_of(request, reference)
    before = undo.snapshot(incident)
    changed = services.assign_person(incident, None, by=person(request), origin=Origin.CONSOLE)
    return done(request, incident.pk, _("Assigned to nobody."), before, version=changed.version)
