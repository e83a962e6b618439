"""Runs of runbooks: what they do exactly, who decided what, and what came of it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_http_methods

from console.lists import links_of, without_empty
from console.pages import RESPONDERS, is_fragment, page, person, query, say, show
from console.views.remediation import reading
from core.db.clock import database_now
from core.errors import DomainError
from core.text.sentences import shown
from incidents.models import Incident, Origin
from remediation.filters import RUNS
from remediation.models import Run
from remediation.permissions import absent
from remediation.services import deciding, executing, settling
from remediation.vocabulary import Finding
from users.models import User

MAX_ID = 2**63 - 1
STATES = (
    ("proposed,approved,executing", gettext_lazy("Open")),
    ("verified", gettext_lazy("Done")),
    ("rolled_back,aborted,rejected", gettext_lazy("Without effect or undone")),
)
TITLES = {
    "approve": gettext_lazy("Approve this run"),
    "reject": gettext_lazy("Reject this run"),
    "execute": gettext_lazy("Execute this run"),
    "abort": gettext_lazy("Abort this run"),
    "dry-run": gettext_lazy("Try it without effect"),
    "settle": gettext_lazy("Settle this run"),
}
SAID = {
    "approve": gettext_lazy("Approved. Execute it within 15 minutes."),
    "reject": gettext_lazy("Rejected."),
    "execute": gettext_lazy("It is being executed."),
    "abort": gettext_lazy("Aborted; what is executing ends before its next step."),
    "dry-run": gettext_lazy("It is being tried; what came of it is shown below."),
    "settle": gettext_lazy("Settled. Its targets are free."),
}


class DecisionForm(forms.Form):
    """A decision about what was shown."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    override_reason = forms.CharField(
        label=gettext_lazy("Why in spite of the change freeze"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    finding = forms.ChoiceField(
        label=gettext_lazy("What did it do?"), choices=Finding.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=gettext_lazy("What you looked at, and what you saw"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: Any = None, *, what: str, can_override: bool, **options: Any) -> None:
        super().__init__(data, **options)
        if what not in ("reject", "abort"):
            del self.fields["reason"]
        if what not in ("approve", "execute") or not can_override:
            del self.fields["override_reason"]
        if what != "settle":
            del self.fields["finding"], self.fields["note"]


@page(roles=RESPONDERS)
@require_GET
def runs(request: HttpRequest) -> HttpResponse:
    """List runs, the newest first."""
    if (elsewhere := without_empty(request)) is not None:
        return elsewhere
    viewer = person(request)
    asker = Incident.objects.visibility_key(viewer)
    pages = RUNS.page(query(request), lambda: Run.objects.visible_to(viewer), asker=asker)
    unsettled = Run.objects.visible_to(viewer).unsettled().count()
    context = {
        "rows": [reading.described(run, viewer) for run in pages.rows],
        "pages": links_of(pages),
        "states": STATES,
        "state": request.GET.get("state", ""),
        "is_settled": request.GET.get("is_settled", ""),
        "unsettled": unsettled,
        "is_filtered": any(name in request.GET for name in ("state", "is_settled", "runbook", "incident")),
        **reading.surroundings(),
    }
    return show(request, "console/remediation/runs.html", context)


@page(roles=RESPONDERS)
@require_GET
def run(request: HttpRequest, pk: int) -> HttpResponse:
    template = "_run" if is_fragment(request) else "run"
    return show(request, f"console/remediation/{template}.html", _context(_run(request, pk), person(request)))


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Ask whether to do something about exactly what is shown, and do it."""
    if what not in TITLES:
        raise Http404
    found, viewer = _run(request, pk), person(request)
    context = _context(found, viewer)
    can_override = viewer.is_admin and any(one.is_freeze for one in context["warnings"])
    given = request.POST if request.method == "POST" else None
    form = DecisionForm(given, what=what, can_override=can_override, initial={"digest": found.digest})
    status = 200
    if form.is_valid():
        problem = _attempt(found, viewer, what, form.cleaned_data)
        if problem is None:
            say(request, SAID[what])
            return redirect("console:run", pk)
        form.add_error(None, problem.message)
        status = problem.status
        context = _context(_run(request, pk), viewer)
    elif given is not None:
        status = 400
    more = {"form": form, "what": what, "title": TITLES[what]}
    return show(request, "console/remediation/decide.html", {**context, **more}, status=status)


def _attempt(found: Run, viewer: User, what: str, given: dict[str, Any]) -> DomainError | None:
    how: dict[str, Any] = {"by": viewer, "origin": Origin.CONSOLE}
    reasons = {name: given[name] for name in ("reason", "override_reason") if name in given}
    work: dict[str, Callable[[], Any]] = {
        "approve": lambda: deciding.approve(found, digest=given["digest"], **reasons, **how),
        "reject": lambda: deciding.reject(found, **reasons, **how),
        "abort": lambda: deciding.abort(found, **reasons, **how),
        "dry-run": lambda: executing.dry_run(found, **how),
        "execute": lambda: executing.execute(found, **reasons, **how),
        "settle": lambda: settling.settle(found, finding=given["finding"], note=given["note"], **how),
    }
    try:
        work[what]()
    except DomainError as error:
        return error
    return None


def _context(found: Run, viewer: User) -> dict[str, Any]:
    now = database_now()
    described = reading.described(found, viewer)
    return {
        **described,
        **reading.surroundings(),
        "incident": found.incident,
        "version": found.version,
        "steps": reading.steps_of_run(found),
        "parameters": sorted(found.parameters.items()),
        "warnings": reading.warnings_of(found, now),
        "why": shown(found.why),
        "now": now,
        "events": _milestones(found),
    }


def _milestones(found: Run) -> list[tuple[Any, Any, Any]]:
    """Return who did what when, the first first."""
    rule = _("a rule")
    proposed_by = found.proposed_by.name if found.proposed_by is not None else rule
    rows = [
        (_("Proposed"), found.created_at, proposed_by),
        (
            pgettext("run", "Approved"),
            found.approved_at,
            found.approved_by.name if found.approved_by is not None else rule,
        ),
        (_("Tried without effect"), found.dry_run_at, ""),
        (_("Started"), found.started_at, found.executed_by.name if found.executed_by is not None else rule),
        (pgettext("run", "Ended"), found.finished_at, ""),
        (_("Settled"), found.settled_at, found.settled_by.name if found.settled_by is not None else ""),
    ]
    return [row for row in rows if row[1] is not None]


def _run(request: HttpRequest, pk: int) -> Run:
    found: Run | None = reading.runs_visible_to(person(request)).filter(pk=pk).first() if pk <= MAX_ID else None
    if found is None:
        raise absent()
    return found


urlpatterns = [
    path("runs/", runs, name="runs"),
    path("runs/<int:pk>/", run, name="run"),
    path("runs/<int:pk>/<slug:what>/", decide, name="run-decide"),
]
