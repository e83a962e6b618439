"""Follow incidents, have others follow, link and merge incidents, and page people."""

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from alerts.services import reassign
from console.pages import page, person
from console.views.incident.answering import ask, attempt, done
from console.views.incident.forms import FollowerForm, LinkForm, MergeForm, PageForm
from console.views.incident.reading import incident_of
from core.errors import DomainError, NotFound
from incidents import services
from incidents.models import Incident, IncidentLink, Origin
from incidents.permissions import require_work
from incidents.views.lookup import one_of
from paging.services.by_hand import page_by_hand
from users.models import User


@page
@require_POST
def follow(request: HttpRequest, reference: str) -> HttpResponse:
    incident, user = incident_of(request, reference), person(request)
    services.subscribe(incident, user, by=user, origin=Origin.CONSOLE)
    return done(request, incident.pk, _("You follow this incident."))


@page
@require_POST
def unfollow(request: HttpRequest, reference: str) -> HttpResponse:
    incident, user = incident_of(request, reference), person(request)
    services.unsubscribe(incident, user, by=user, origin=Origin.CONSOLE)
    return done(request, incident.pk, _("You no longer follow this incident."))


@page
@require_http_methods(["GET", "POST"])
def add_follower(request: HttpRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    require_work(person(request), incident)
    form = FollowerForm(request.POST or None)
    work = partial(_subscribe, incident, form, person(request))
    if request.method == "POST" and form.is_valid() and attempt(form, work) is None:
        words = {"name": form.cleaned_data["user"].name}
        return done(request, incident.pk, _("%(name)s follows this incident.") % words)
    return ask(request, incident, _("Add a follower"), form, _("Add"), status=400 if form.errors else 200)


def _subscribe(incident: Incident, form: FollowerForm, by: User) -> None:
    services.subscribe(incident, form.cleaned_data["user"], by=by, origin=Origin.CONSOLE)


@page
@require_POST
def remove_follower(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    incident = incident_of(request, reference)
    user = get_object_or_404(User, pk=number)
    services.unsubscribe(incident, user, by=person(request), origin=Origin.CONSOLE)
    return done(request, incident.pk, _("%(name)s no longer follows this incident.") % {"name": user.name})


@page
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    require_work(person(request), incident)
    form = LinkForm(request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        target = _other(request, form, "target")
        if target is not None and (
            attempt(
                form,
                partial(
                    services.link,
                    incident,
                    target,
                    wanted["kind"],
                    by=person(request),
                    grants_access=wanted["grants_access"],
                    origin=Origin.CONSOLE,
                ),
            )
            is None
        ):
            return done(request, incident.pk, _("Linked to %(incident)s.") % {"incident": target.reference})
    return ask(request, incident, _("Link to another incident"), form, _("Link"), status=400 if form.errors else 200)


@page
@require_POST
def unlink(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    incident = incident_of(request, reference)
    found = IncidentLink.objects.filter(pk=number, incident=incident).values_list("target", flat=True).first()
    if found is None or not Incident.objects.visible_to(person(request)).filter(pk=found).exists():
        raise NotFound(_("%(incident)s has no such link.") % {"incident": incident.reference})
    services.unlink(incident, number, by=person(request), origin=Origin.CONSOLE)
    return done(request, incident.pk, _("Link removed."))


@page
@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, reference: str) -> HttpResponse:
    """Merge the incident into another, which then holds its alerts."""
    incident = incident_of(request, reference)
    require_work(person(request), incident)
    form = MergeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        into = _other(request, form, "into")
        grants = form.cleaned_data["grants_access"]
        how = {"by": person(request), "grants_access": grants, "origin": Origin.CONSOLE}
        if into is not None and attempt(form, partial(reassign.merge, incident, into, **how)) is None:
            return done(request, into.pk, _("Merged into %(incident)s.") % {"incident": into.reference})
    sentence = _("Its alerts move to the other incident, and it is resolved as a duplicate. This cannot be undone.")
    title = _("Merge %(incident)s into another incident") % {"incident": incident.reference}
    return ask(
        request, incident, title, form, _("Merge"), status=400 if form.errors else 200, sentence=sentence, leaves=True
    )


def _other(request: HttpRequest, form: LinkForm | MergeForm, field: str) -> Incident | None:
    try:
        return one_of(Incident.objects.visible_to(person(request)), form.cleaned_data[field].strip())
    except DomainError as error:
        form.add_error(field, error.message)
        return None


@page
@require_http_methods(["GET", "POST"])
def page_people(request: HttpRequest, reference: str) -> HttpResponse:
    """Page people, teams or schedules now."""
    incident = incident_of(request, reference)
    require_work(person(request), incident)
    form = PageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        work = partial(
            page_by_hand,
            incident,
            wanted["targets"],
            wanted["message"],
            by=person(request),
            origin=Origin.CONSOLE,
        )
        if attempt(form, work) is None:
            return done(request, incident.pk, _("Paged."))
    return ask(request, incident, _("Page somebody"), form, _("Page now"), status=400 if form.errors else 200)
