"""Runbooks: what can be done again and again, in versions."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.forms.code import read
from console.forms.remediation import RunbookForm, initial_of
from console.pages import ADMINS, RESPONDERS, page, person, say, show
from console.views.remediation import reading
from console.views.remediation.examples import EXAMPLES, with_example
from core.errors import DomainError, NotFound
from core.text.sentences import shown
from remediation.models import Run, Runbook, RunbookVersion
from remediation.services import pausing
from remediation.services import runbooks as services
from remediation.services.runbooks import RunbookInvalid
from users.models import User

MAX_ID = 2**63 - 1
MOST_RUNS = 10
MOST_VERSIONS = 20


@page(roles=RESPONDERS)
@require_GET
def runbooks(request: HttpRequest) -> HttpResponse:
    viewer = person(request)
    found = list(Runbook.objects.filter(current__isnull=False).select_related("current").order_by("name", "pk"))
    latest = _latest(viewer, [one.pk for one in found])
    rows = [{"runbook": one, "run": latest.get(one.pk), "because": shown(one.paused_because)} for one in found]
    context = {"rows": rows, "may_write": viewer.is_admin, **reading.surroundings()}
    return show(request, "console/remediation/runbooks.html", context)


def _latest(viewer: User, ids: list[int]) -> dict[int, Run]:
    """Return each runbook's newest run that the viewer sees."""
    newest = Run.objects.visible_to(viewer).select_related("version").order_by("-pk")
    books = Runbook.objects.filter(pk__in=ids).prefetch_related(Prefetch("runs", queryset=newest[:1], to_attr="newest"))
    return {one.pk: one.newest[0] for one in books if one.newest}


@page(roles=RESPONDERS)
@require_GET
def runbook(request: HttpRequest, pk: int) -> HttpResponse:
    found, viewer = _runbook(pk), person(request)
    version = _version(found)
    runs = reading.runs_visible_to(viewer).filter(runbook=found)[:MOST_RUNS]
    context = {
        "runbook": found,
        "version": version,
        "steps": reading.steps_of_version(version),
        "because": shown(found.paused_because),
        "versions": RunbookVersion.objects.filter(runbook=found).select_related("created_by")[:MOST_VERSIONS],
        "runs": [reading.described(run, viewer) for run in runs],
        "may_write": viewer.is_admin,
        **reading.surroundings(),
    }
    return show(request, "console/remediation/runbook.html", context)


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def new_runbook(request: HttpRequest) -> HttpResponse:
    if "insert" in request.POST:
        return _insert(request, None)
    form = RunbookForm(request.POST or None)
    if form.is_valid():
        made = _stored(form, lambda: services.create(by=person(request), **form.as_service()))
        if made is not None:
            say(request, _("Saved."))
            return redirect("console:runbook", made.pk)
    return _form(request, form, None)


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def edit_runbook(request: HttpRequest, pk: int) -> HttpResponse:
    found = _runbook(pk)
    if "insert" in request.POST:
        return _insert(request, found)
    form = RunbookForm(request.POST or None, initial=initial_of(found, _version(found)))
    if form.is_valid() and _stored(form, lambda: services.edit(found, by=person(request), **form.as_service())):
        say(request, _("Saved. What was approved before keeps its version."))
        return redirect("console:runbook", pk)
    return _form(request, form, found)


def _stored(form: RunbookForm, work: Any) -> Runbook | None:
    try:
        made: Runbook = work()
    except RunbookInvalid as error:
        form.add_faults(error.extra["faults"])
        return None
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None
    return made


def _insert(request: HttpRequest, found: Runbook | None) -> HttpResponse:
    """Show the form as it was typed, with an example put in; nothing is stored or judged yet."""
    typed: dict[str, Any] = {**request.POST.dict(), "is_enabled": "is_enabled" in request.POST}
    try:
        steps, parameters = (_listed(typed.get(name, "")) for name in ("steps", "parameters"))
        typed |= with_example(request.POST["insert"], steps=steps, parameters=parameters)
    except ValidationError as error:
        say(request, " ".join(error.messages), is_problem=True)
    form = RunbookForm(initial=typed)
    form.initial["seen"] = request.POST.get("seen", "")
    return _form(request, form, found)


def _listed(text: str) -> list[Any]:
    """Return the list that was typed. Raises ValidationError."""
    found = read(text) if text.strip() else []
    if not isinstance(found, list):
        raise ValidationError(_("Nothing was added: steps and parameters must be lists."))
    return found


def _form(request: HttpRequest, form: RunbookForm, found: Runbook | None) -> HttpResponse:
    context = {"form": form, "runbook": found, "examples": EXAMPLES}
    return show(request, "console/remediation/runbook_form.html", context, status=422 if form.errors else 200)


@page(roles=ADMINS)
@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    pausing.release(_runbook(pk), by=person(request))
    say(request, _("Released: it can run again."))
    return redirect("console:runbook", pk)


def _runbook(pk: int) -> Runbook:
    found = Runbook.objects.filter(pk=pk, current__isnull=False).first() if pk <= MAX_ID else None
    if found is None:
        raise NotFound(_("This runbook does not exist."))
    return found


def _version(found: Runbook) -> RunbookVersion:
    return RunbookVersion.objects.select_related("created_by").get(pk=found.current_id or 0)


urlpatterns = [
    path("runbooks/", runbooks, name="runbooks"),
    path("runbooks/new/", new_runbook, name="runbook-new"),
    path("runbooks/<int:pk>/", runbook, name="runbook"),
    path("runbooks/<int:pk>/edit/", edit_runbook, name="runbook-edit"),
    path("runbooks/<int:pk>/release/", release, name="runbook-release"),
]
