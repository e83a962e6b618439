"""How actions end: a redirect to the page, or the parts of it that changed."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import iri_to_uri

from console import undo
from console.pages import is_fragment, offer_undo, person, say, show
from console.views.incident import reading, timeline
from console.views.incident.once import UID
from core.errors import DomainError
from incidents.models import Incident

MAX_LIST = 2000


def list_query(request: HttpRequest) -> str:
    """Return the query of the list that the person came from."""
    return (request.POST.get("list") or request.GET.get("list") or "")[:MAX_LIST]


def address(number: int, list_query: str = "", **more: str) -> str:
    """Return where the incident is shown, within the list that the person came from."""
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in {"list": list_query, **more}.items() if value})
    url = reverse("console:incident", args=[f"INC-{number}"])
    return f"{url}?{query.urlencode()}" if query else url


def list_address(list_query: str) -> str:
    url = reverse("console:incidents")
    return f"{url}?{list_query}" if list_query else url


def seen(request: HttpRequest) -> int | None:
    """Return the number of the last event that the person had seen."""
    return timeline.number_in(request.POST.get("seen"))


def done(
    request: HttpRequest, number: int, sentence: Any, before: undo.Snapshot | None = None, *, version: int | None = None
) -> HttpResponse:
    """Answer an action that succeeded; `before` offers to undo it."""
    viewer = person(request)
    visible = Incident.objects.visible_to(viewer).filter(pk=number).order_by()
    incident = visible.select_related("category", "team", "assignee", "reporter").first()
    if incident is None:
        say(request, sentence)
        return _gone(request, list_address(list_query(request)))
    token = _token(before, incident, request, version)
    if is_fragment(request):
        return parts(request, incident, sentence, token=token)
    if token:
        offer_undo(request, sentence, token)
    else:
        say(request, sentence)
    return HttpResponseRedirect(address(number, list_query(request)))


def _token(before: undo.Snapshot | None, incident: Incident, request: HttpRequest, version: int | None) -> str:
    if before is None or (version is not None and version != incident.version):
        return ""
    change = undo.change_between(before, undo.snapshot(incident), person(request))
    return undo.undo_token([change], person(request)) if change is not None else ""


def _gone(request: HttpRequest, url: str) -> HttpResponse:
    if not is_fragment(request):
        return HttpResponseRedirect(url)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = iri_to_uri(url)
    return response


def parts(
    request: HttpRequest, incident: Incident, sentence: Any = "", *, token: str = "", is_problem: bool = False
) -> HttpResponse:
    """Return what an action changes on the open page."""
    viewer = person(request)
    after = seen(request)
    context = {
        **reading.page_context(incident, viewer),
        "list": list_query(request),
        "entries": timeline.entries_of(incident, viewer, after=after) if after is not None else None,
        "sentence": sentence,
        "is_problem": is_problem,
        "undo": token,
        "undo_next": address(incident.pk, list_query(request)),
        "with_side": True,
    }
    return show(request, "console/incident/_parts.html", context)


def header_parts(request: HttpRequest, incident: Incident, after: int | None) -> HttpResponse:
    """Return what others' changes alter: the header and new entries."""
    viewer = person(request)
    context = {
        **reading.header(incident, viewer, timezone.now()),
        "list": list_query(request),
        "entries": timeline.entries_of(incident, viewer, after=after) if after is not None else None,
    }
    return show(request, "console/incident/_parts.html", context)


def ask(
    request: HttpRequest,
    incident: Incident,
    title: Any,
    form: forms.Form | None,
    button: Any,
    *,
    status: int = 200,
    template: str = "form",
    **more: Any,
) -> HttpResponse:
    """Show a form of an action: a page, or what a dialog holds."""
    name = f"console/incident/_{template}.html" if is_fragment(request) else "console/incident/form.html"
    context = {
        "incident": incident,
        "title": title,
        "form": form,
        "button": button,
        "action": request.path,
        "list": list_query(request),
        "back": address(incident.pk, list_query(request)),
        "body": f"console/incident/_{template}.html",
        "seen": incident.event_count,
        "client_uid": request.POST.get(UID) or uuid.uuid4(),
        **more,
    }
    return show(request, name, context, status=status)


def attempt(form: forms.Form, work: Callable[[], Any]) -> DomainError | None:
    """Do the work; put a refusal onto the form and return it."""
    try:
        work()
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return error
    return None
