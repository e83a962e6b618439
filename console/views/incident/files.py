"""The files of an incident: adding, sending and removing them."""

from functools import partial

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.pages import page, person
from console.views.incident.answering import ask, done
from console.views.incident.reading import incident_of
from core.errors import DomainError, PermissionRefused
from incidents.attachments import serving
from incidents.models import Attachment, Incident, Origin
from incidents.permissions import require_comment
from incidents.services import attaching

VARIANTS = {
    "file": serving.serve_file,
    "thumbnail": serving.serve_thumbnail,
    "original": serving.serve_original,
}


@page
@require_GET
def send(request: HttpRequest, reference: str, number: int, variant: str) -> HttpResponseBase:
    """Send a file as the API does, with the same headers."""
    attachment = _attachment_of(incident_of(request, reference), number)
    if variant not in VARIANTS or (variant == "thumbnail" and not attachment.thumbnail_key):
        raise Http404
    viewer = person(request)
    if variant == "original" and not (viewer.is_responder or viewer.is_admin):
        raise PermissionRefused(
            _("Originals may reveal location and author; only responders and administrators can get them.")
        )
    return VARIANTS[variant](request, attachment)


@page
@require_POST
def add(request: HttpRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    by = person(request)
    require_comment(by, incident)
    files = [file for name in request.FILES for file in request.FILES.getlist(name)]
    if not files:
        raise DomainError(_("Choose one or more files."), field="files")
    attaching.attach(incident, attaching.inspect(files), by=by, origin=Origin.CONSOLE)
    sentence = ngettext("%(number)s file added.", "%(number)s files added.", len(files)) % {"number": len(files)}
    return done(request, incident.pk, sentence)


@page
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    incident = incident_of(request, reference)
    attachment = _attachment_of(incident, number)
    words = {"file": attachment.name}
    if request.method == "POST":
        attaching.remove(attachment, by=person(request), origin=Origin.CONSOLE)
        return done(request, incident.pk, _("%(file)s was removed.") % words)
    confirm = partial(ask, request, incident, _("Remove %(file)s") % words, None, _("Remove"))
    return confirm(sentence=_("Deletes the file for good; the timeline keeps that it was there."), is_danger=True)


def _attachment_of(incident: Incident, number: int) -> Attachment:
    attachment = Attachment.objects.filter(pk=number, incident=incident).select_related("incident").first()
    if attachment is None:
        raise Http404
    return attachment
