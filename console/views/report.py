"""Report something, look whether it is known already, and learn what happens next."""

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import resolve_url
from django.urls import path, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from console.pages import page, person, say, show
from console.reporting.afterwards import next_steps
from console.reporting.form import ReportForm, limits
from console.reporting.joining import Joining
from console.reporting.learnt import while_writing
from console.reporting.sending import Sending, errors_of, key_of, person_key, refusal
from console.reporting.texts import texts
from core.errors import DomainError
from incidents.attachments.inspecting import FIELD
from incidents.models import Incident
from incidents.search import likely_duplicates
from incidents.views.lookup import one_of
from responders.models import Team

PREFILLED = ("title", "description", "severity", "category", "services", "location", "team")
MOST_TITLE = 200


def report(request: HttpRequest) -> HttpResponseBase:
    """Show the form, or take a report in."""
    if request.method == "POST" and wants_json(request):
        return take_json(request, Sending)
    return _page(request)


@page
def _page(request: HttpRequest) -> HttpResponseBase:
    if request.method != "POST":
        initial = {name: request.GET[name] for name in PREFILLED if name in request.GET}
        return show_form(request, ReportForm(user=person(request), initial=initial))
    sending = Sending(request)
    response = sending.answer()
    return leave(response) or show_form(request, sending.form, refused=errors_of(response), status=400)


def take_json(request: HttpRequest, kind: type[Sending], **told: Any) -> HttpResponseBase:
    """Take what a script sends; it keeps the report unless the answer is final."""
    if not request.user.is_authenticated:
        return JsonResponse({"code": "signed_out"}, status=401)
    if request.headers.get("X-Report-Person", person_key(person(request))) != person_key(person(request)):
        return JsonResponse({"code": "other_person"}, status=409)
    try:
        response = kind(request, **told).answer()
    except DomainError as error:
        response = refusal(error)
    add_never_cache_headers(response)
    return response


def leave(response: HttpResponseBase) -> HttpResponse | None:
    """Return the way to the page after a report that was taken in."""
    if response.status_code >= 300:
        return None
    return HttpResponseRedirect(response["Location"], status=303)


def show_form(
    request: HttpRequest, form: ReportForm, *, refused: list[dict[str, Any]] | None = None, status: int = 200
) -> HttpResponse:
    user = person(request)
    for told in refused or []:
        field = told["field"] if told["field"] in form.fields else None
        if told["field"] != FIELD and not form.errors.get(field or "__all__"):
            form.add_error(field, told["message"])
    context = {
        "form": form,
        "file_errors": [told["message"] for told in refused or [] if told["field"] == FIELD],
        "key": uuid.uuid4() if refused else key_of(request),
        "person_key": person_key(user),
        "limits": limits(),
        "texts": texts(),
        "sign_in_url": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': reverse('console:report')})}",
        "lacks_default_team": user.is_admin and not Team.objects.active().filter(is_default=True).exists(),
    }
    return show(request, "console/report/form.html", context, status=status)


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


@require_safe
def token(request: HttpRequest) -> HttpResponse:
    """Tell a waiting report who is signed in, and with what to send it."""
    user = request.user
    told = {"person": person_key(person(request)) if user.is_authenticated else "", "token": get_token(request)}
    response = JsonResponse(told)
    add_never_cache_headers(response)
    return response


@page
def similar(request: HttpRequest) -> HttpResponse:
    """Show open incidents that the report may repeat, and what the rules make of it."""
    user = person(request)
    title = request.GET.get("title", "")[:MOST_TITLE]
    found = likely_duplicates(Incident.objects.visible_to(user), title, now=timezone.now()) if title.strip() else []
    rows = Incident.objects.select_related("team").in_bulk([one.id for one in found]) if found else {}
    context = {
        "found": [rows[one.id] for one in found if one.id in rows],
        **(while_writing(request, title) if title.strip() else {}),
    }
    return show(request, "console/report/_similar.html", context)


def same(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Follow an incident that is what somebody was about to report, and add what they see."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if wants_json(request):
        return take_json(request, Joining, reference=reference)
    return _join(request, reference)


@page
def _join(request: HttpRequest, reference: str) -> HttpResponseBase:
    joining = Joining(request, reference=reference)
    response = joining.answer()
    if (left := leave(response)) is not None:
        say(request, _("You follow %(incident)s now; what you see was added.") % {"incident": reference})
        return left
    return show_form(request, joining.form, refused=errors_of(response), status=400)


@page
def sent(request: HttpRequest, reference: str) -> HttpResponse:
    """Show the reference of a report and what happens next."""
    incident = one_of(Incident.objects.visible_to(person(request)), reference)
    return show(request, "console/report/sent.html", {"incident": incident, **next_steps(incident, timezone.now())})


urlpatterns = [
    path("report/", report, name="report"),
    path("report/similar/", similar, name="report-similar"),
    path("report/token/", token, name="report-token"),
    path("report/sent/<str:reference>/", sent, name="report-sent"),
    path("report/same/<str:reference>/", same, name="report-same"),
]
