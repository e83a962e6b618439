"""What administrators remove: leaked texts, and incidents."""

from functools import partial

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from console.pages import ADMINS, page, person
from console.views.incident.answering import ask, attempt, done
from console.views.incident.forms import ReasonForm
from console.views.incident.reading import incident_of
from incidents import services
from incidents.models import IncidentEvent, Origin


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def redact(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    incident = incident_of(request, reference)
    event = IncidentEvent.objects.filter(incident=incident, seq=number).select_related("incident").first()
    if event is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        work = partial(services.redact, event, by=person(request), reason=reason, origin=Origin.CONSOLE)
        if attempt(form, work) is None:
            return done(request, incident.pk, _("The text was redacted."))
    sentence = _(
        "Removes the text of this event, and the incident's fields that still contain it. The timeline keeps that "
        "there was a text, and that you removed it. This cannot be undone."
    )
    title, status = _("Redact event %(number)s") % {"number": number}, 400 if form.errors else 200
    more = {"sentence": sentence, "is_danger": True, "leaves": True}
    return ask(request, incident, title, form, _("Redact"), status=status, **more)


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    words = {"incident": f"{incident.reference} {incident.title}"}
    if request.method == "POST":
        services.delete(incident, by=person(request), origin=Origin.CONSOLE)
        return done(request, incident.pk, _("%(incident)s was deleted.") % words)
    sentence = _("Hides the incident from everybody. Its history is kept, and the back office can restore it.")
    title, button = _("Delete %(incident)s") % words, _("Delete %(incident)s") % {"incident": incident.reference}
    return ask(request, incident, title, None, button, sentence=sentence, is_danger=True, leaves=True)
