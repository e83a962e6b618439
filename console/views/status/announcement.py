"""An announcement as the public sees it, and what is told next."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.configuration import refusals_on
from console.forms.fields import zone_help
from console.forms.status.announcing import (
    CorrectionForm,
    EditForm,
    MoveForm,
    PublicUpdateForm,
    states_of,
)
from console.forms.status.texts import language_name
from console.pages import ADMINS, RESPONDERS, back_to, is_fragment, page, person, say, show
from console.views.status import reading
from console.views.status.sending import made_once, new_uid, over_theirs
from core.errors import NotFound
from incidents.models import Incident, Origin
from status_page.models import PublicIncident, PublicUpdate
from status_page.services import maintenance, publishing
from status_page.services.page import languages_of, the_page
from status_page.services.telling import readers_of
from status_page.vocabulary import ENDED, Kind, State


@page(roles=RESPONDERS)
@require_GET
def announcement(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the public was told, and the form for the next update (`?state=` chooses its state)."""
    found = reading.announcement_of(pk)
    wanted = request.GET.get("state")
    form = _update_form(request, found, initial={"state": wanted} if wanted in states_of(found) else None)
    return _show(request, found, form)


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def update(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell the public more, from the announcement's page or from the incident's."""
    found = reading.announcement_of(pk)
    if request.method != "POST":
        return _ask(request, found)
    form = _update_form(request, found, request.POST)
    if form.is_valid():
        with refusals_on(form), over_theirs(form):
            made_once(request, partial(_add, request, found, form))
            say(request, _("The public is told."))
            _say_missing(request, form)
            return back_to(request, reverse("console:status-announcement", args=[pk]))
    return _show(request, found, form)


def _add(request: HttpRequest, found: PublicIncident, form: PublicUpdateForm) -> int:
    made = publishing.add_update(found, by=person(request), origin=Origin.CONSOLE, **form.as_service())
    return int(made.pk)


def _ask(request: HttpRequest, found: PublicIncident) -> HttpResponse:
    """Show the form alone: what a dialog holds."""
    wanted = request.GET.get("state")
    context = {
        "announcement": found,
        "form": _update_form(request, found, initial={"state": wanted} if wanted in states_of(found) else None),
        "readers": readers_of(PublicUpdate(public_incident=found)).count(),
        "incident": reading.incident_behind(found, person(request)),
        "next": request.GET.get("next", ""),
        "page": the_page(),
    }
    template = "_update" if is_fragment(request) else "update"
    return show(request, f"console/status/{template}.html", context)


def _update_form(
    request: HttpRequest, found: PublicIncident, data: Any = None, *, initial: dict[str, Any] | None = None
) -> PublicUpdateForm:
    components = reading.page_components([one.pk for one in found.components.all()])
    begins = {"client_uid": new_uid(request), **(initial or {})}
    languages = languages_of(the_page())
    return PublicUpdateForm(data, languages=languages, announcement=found, components=components, initial=begins)


def _show(request: HttpRequest, found: PublicIncident, form: PublicUpdateForm) -> HttpResponse:
    viewer = person(request)
    status_page = the_page()
    incident = reading.incident_behind(found, viewer)
    updates = list(PublicUpdate.objects.filter(public_incident=found).select_related("by").order_by("-at", "-pk"))
    languages = languages_of(status_page)
    context = {
        "announcement": found,
        "incident": incident,
        "updates": _described(updates, languages),
        "missing_titles": [
            language_name(code) for code in languages[1:] if not found.translations.get(code, {}).get("title")
        ],
        "titles": [
            (code, language_name(code), texts["title"])
            for code, texts in found.translations.items()
            if "title" in texts
        ],
        "form": form,
        "may_publish": _may_publish(found, incident, request),
        "is_over": found.ended_at is not None,
        "is_maintenance": found.kind == Kind.MAINTENANCE,
        "next_states": [
            state
            for state in states_of(found)
            if state != found.state and (state in ENDED or state == State.IN_PROGRESS)
        ],
        "readers": readers_of(PublicUpdate(public_incident=found)).count(),
        "disagrees": reading.disagreement(incident, [found]) if incident else "",
        "public_url": reading.public_address(status_page, f"incidents/{found.uid}.html"),
        "page": status_page,
        "late": reading.lateness(status_page, timezone.now()),
    }
    return show(request, "console/status/announcement.html", context, status=422 if form.errors else 200)


def _may_publish(found: PublicIncident, incident: Incident | None, request: HttpRequest) -> bool:
    if found.incident_id is not None and incident is None and not person(request).is_admin:
        return False
    return reading.may_publish(person(request), incident)


def _described(updates: Iterable[PublicUpdate], languages: list[str]) -> list[dict[str, Any]]:
    """Return the updates with translations, earlier texts and how many were told."""
    return [
        {
            "row": row,
            "texts": [
                (code, language_name(code), texts["message"])
                for code, texts in row.translations.items()
                if texts.get("message")
            ],
            "missing": [
                language_name(code) for code in languages[1:] if not row.translations.get(code, {}).get("message")
            ],
            "earlier": [one["message"] for one in reversed(row.earlier)],
        }
        for row in updates
    ]


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Replace an update's text; the earlier ones stay readable here."""
    row = PublicUpdate.objects.select_related("public_incident", "by").filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound(_("There is no update %(id)s; its announcement may have been withdrawn.") % {"id": pk})
    languages = languages_of(the_page())
    form = CorrectionForm(request.POST or None, languages=languages, update=row)
    if form.is_valid():
        with refusals_on(form), over_theirs(form):
            publishing.correct_update(row, by=person(request), origin=Origin.CONSOLE, **form.as_service())
            say(request, _("Corrected. Nobody is told of it by email."))
            return redirect("console:status-announcement", row.public_incident_id)
    context = {"form": form, "update": _described([row], languages)[0], "announcement": row.public_incident}
    return show(request, "console/status/correct.html", context, status=422 if form.errors else 200)


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct title, impact and components."""
    found = reading.announcement_of(pk)
    components = reading.page_components([one.pk for one in found.components.all()])
    form = EditForm(request.POST or None, languages=languages_of(the_page()), announcement=found, components=components)
    if form.is_valid():
        with refusals_on(form), over_theirs(form):
            changes, seen = form.changes(), form.version()
            publishing.edit(found, by=person(request), changes=changes, expected_version=seen)
            say(request, _("Saved. Nobody is told of it by email."))
            return redirect("console:status-announcement", pk)
    context = {"form": form, "announcement": found}
    return show(request, "console/status/edit.html", context, status=422 if form.errors else 200)


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Give maintenance other times."""
    found = reading.announcement_of(pk)
    if found.kind != Kind.MAINTENANCE:
        raise NotFound(_("Only maintenance has planned times."))
    form = MoveForm(request.POST or None, languages=languages_of(the_page()), announcement=found)
    if form.is_valid():
        with refusals_on(form), over_theirs(form):
            maintenance.move(found, by=person(request), origin=Origin.CONSOLE, **form.as_service())
            say(request, _("The maintenance is moved."))
            return redirect("console:status-announcement", pk)
    context = {
        "form": form,
        "announcement": found,
        "zone": zone_help(),
        "readers": readers_of(PublicUpdate(public_incident=found)).count(),
    }
    return show(request, "console/status/move.html", context, status=422 if form.errors else 200)


@page(roles=ADMINS)
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an announcement off the page with all its updates."""
    found = reading.announcement_of(pk)
    publishing.withdraw(found, by=person(request), origin=Origin.CONSOLE)
    say(request, _("%(title)s is withdrawn.") % {"title": found.title})
    return redirect("console:status-page")


def _say_missing(request: HttpRequest, form: PublicUpdateForm) -> None:
    if lacking := form.missing():
        number = len(lacking)
        words = {"languages": ", ".join(lacking), "main": form.main_language}
        said = ngettext(
            "The text is missing in %(languages)s; its readers see %(main)s.",
            "The text is missing in %(languages)s; their readers see %(main)s.",
            number,
        )
        say(request, said % words, is_problem=True)
