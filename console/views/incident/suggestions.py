"""What is suggested about an incident: shown with its evidence, judged, and taken by a click."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from alerts.admin.badges import safe_links
from alerts.models import ChangeEvent
from alerts.services.changes import changes_before
from assistant.models import Verdict
from assistant.services.asking import ask
from assistant.services.suggesting import Suggestions, suggestions_of
from assistant.services.verdicts import give_verdict
from assistant.vocabulary import EvidenceKind, LearntField, ModelState, Task, confidence_word
from console import undo
from console.pages import RESPONDERS, is_fragment, page, person, say, show
from console.templatetags.console import duration
from console.views.incident.answering import address, done, list_query
from console.views.incident.reading import incident_of
from core.errors import DomainError
from core.severity import SEVERITY_OF_WORD
from incidents import services
from incidents.models import Category, Incident, IncidentEvent, Origin
from incidents.permissions import can_work_on
from responders.models import Team
from users.models import User

MOST_CHANGES = 10
PAGES = {
    EvidenceKind.ALERT: "console:alert",
    EvidenceKind.LOG: "console:log-line",
    EvidenceKind.TEMPLATE: "console:log-line",
}


@dataclass(frozen=True)
class Shown:
    """A row that speaks for a suggestion; `url` is empty where nothing shows it alone."""

    kind: Any
    text: str
    url: str = ""
    change: ChangeEvent | None = None
    links: Iterable[tuple[str, str]] = ()


@dataclass
class Evidence:
    """Looks up, at once, what suggestions of a page cite."""

    cited: set[tuple[str, int]] = field(default_factory=set)
    events: Mapping[int, IncidentEvent] = field(default_factory=dict)
    changes: Mapping[int, ChangeEvent] = field(default_factory=dict)

    def load(self, found: Suggestions) -> "Evidence":
        """Read the rows that cannot be linked to by their number."""
        cited: list[Any] = [*found.causes]
        if found.summary is not None:
            cited.append(found.summary)
        if found.model is not None:
            cited += [*found.model.causes, *filter(None, (found.model.summary, found.model.hand_over))]
        self.cited = {(str(row.kind), row.id) for one in cited for row in one.evidence}
        self.events = IncidentEvent.objects.only("seq", "incident").in_bulk(self._ids(EvidenceKind.EVENT))
        self.changes = ChangeEvent.objects.select_related("service").in_bulk(self._ids(EvidenceKind.CHANGE))
        return self

    def _ids(self, kind: str) -> list[int]:
        return [number for word, number in self.cited if word == kind]

    def shown(self, rows: Iterable[Any]) -> list[Shown]:
        return [self._one(row) for row in rows]

    def _one(self, row: Any) -> Shown:
        kind, text = row.kind, row.text
        if kind == EvidenceKind.EVENT and (event := self.events.get(row.id)) is not None:
            place = f"?before={event.seq + 1}#event-{event.seq}"
            return Shown(kind.label, text, reverse("console:incident", args=[f"INC-{event.incident_id}"]) + place)
        if kind == EvidenceKind.CHANGE and (change := self.changes.get(row.id)) is not None:
            return Shown(kind.label, change.summary, change=change, links=safe_links(change.links))
        if kind == EvidenceKind.INCIDENT:
            reference = f"INC-{row.id}"
            return Shown(kind.label, text or reference, reverse("console:incident", args=[reference]))
        return Shown(kind.label, text, reverse(PAGES[kind], args=[row.id]) if kind in PAGES else "")


@page
@require_GET
def suggestions(request: HttpRequest, reference: str) -> HttpResponse:
    """Show what is suggested, and what else may have to do with the incident."""
    found = incident_of(request, reference)
    template = "_suggestions" if is_fragment(request) else "suggestions"
    return show(request, f"console/incident/{template}.html", _context(request, found))


def _context(request: HttpRequest, incident: Incident) -> dict[str, Any]:
    viewer, now = person(request), timezone.now()
    found = suggestions_of(incident, viewer, now)
    evidence, said = Evidence().load(found), _verdicts(incident, viewer)
    return {
        "incident": incident,
        "back": address(incident.pk, list_query(request)),
        "list": list_query(request),
        "causes": [(cause, evidence.shown(cause.evidence), said.get(cause.id)) for cause in found.causes],
        "similar": _with_rows(found.similar, said),
        "duplicates": _with_rows(found.duplicates, said),
        "routing": _routing(found, incident),
        "routing_said": [(one.id, said.get(one.id)) for one in found.routing],
        "summary": [(line, evidence.shown(line.evidence)) for line in found.summary.lines] if found.summary else [],
        "summary_text": found.summary.text if found.summary else "",
        "summary_said": said.get(found.summary.id) if found.summary else None,
        "changes": _changes(incident, evidence) if viewer.is_staff else [],
        "has_cited_changes": bool(evidence.changes),
        "is_staff": viewer.is_staff,
        "works": can_work_on(viewer, incident.team_id),
        **_of_model(found, evidence, said),
    }


def _with_rows(found: Iterable[Any], said: Mapping[str, str]) -> list[tuple[Any, Incident, str | None]]:
    """Return alike incidents, which the service has found visible, with their rows."""
    found = list(found)
    rows = Incident.objects.in_bulk([one.incident for one in found]) if found else {}
    return [(one, rows[one.incident], said.get(one.id)) for one in found if one.incident in rows]


def _routing(found: Suggestions, incident: Incident) -> list[dict[str, Any]]:
    if not incident.is_still_open:
        return []
    return [
        {
            "guess": guess,
            "label": LearntField(guess.field).label,
            "word": confidence_word(guess.confidence),
            "because": ", ".join(reason.value for reason in guess.because),
        }
        for routing in found.routing
        for guess in routing.told
        if not guess.is_current
    ]


def _changes(incident: Incident, evidence: Evidence) -> list[tuple[ChangeEvent, str, Any]]:
    return [
        (change, duration((incident.occurred_at - change.occurred_at).total_seconds()), safe_links(change.links))
        for change in changes_before(incident, limit=MOST_CHANGES)
        if change.pk not in evidence.changes
    ]


def _verdicts(incident: Incident, viewer: User) -> dict[str, str]:
    if not viewer.is_staff:
        return {}
    given = Verdict.objects.filter(incident=incident, user=viewer).values_list("suggestion", "is_useful")
    return {suggestion: "yes" if is_useful else "no" for suggestion, is_useful in given}


def _of_model(found: Suggestions, evidence: Evidence, said: Mapping[str, str]) -> dict[str, Any]:
    model = found.model
    if model is None or model.status.state == ModelState.OFF:
        return {"model": None}
    texts = [
        (label, text, [(claim, evidence.shown(claim.evidence)) for claim in text.claims], said.get(text.id))
        for label, text in ((Task.SUMMARY.label, model.summary), (Task.HAND_OVER.label, model.hand_over))
        if text is not None
    ]
    return {
        "model": model,
        "model_causes": [(cause, evidence.shown(cause.evidence), said.get(cause.id)) for cause in model.causes],
        "model_texts": texts,
        "tasks": Task.choices if model.status.state in (ModelState.READY, ModelState.FAILED) else (),
    }


@page(roles=RESPONDERS)
@require_POST
def judge(request: HttpRequest, reference: str) -> HttpResponse:
    """Say whether a suggestion is useful."""
    found = incident_of(request, reference)
    name, said = request.POST.get("suggestion", ""), request.POST.get("useful")
    if said not in ("yes", "no") or not name or len(name) > Verdict._meta.get_field("suggestion").max_length:
        raise DomainError(_("Say of one suggestion whether it is useful."), field="useful")
    give_verdict(found, name, by=person(request), is_useful=said == "yes", now=timezone.now())
    return _again(request, found, _("Thank you. It counts in how often suggestions are right."))


@page(roles=RESPONDERS)
@require_POST
def ask_model(request: HttpRequest, reference: str) -> HttpResponse:
    """Have the model asked."""
    found = incident_of(request, reference)
    if request.POST.get("task") not in Task.values:
        raise DomainError(_("Choose what to ask the model."), field="task")
    ask(found, task=Task(request.POST["task"]), by=person(request))
    return _again(request, found, _("The model is being asked."))


@page(roles=RESPONDERS)
@require_POST
def adopt(request: HttpRequest, reference: str) -> HttpResponse:
    """Give the incident a team, category or severity that is suggested."""
    incident, by = incident_of(request, reference), person(request)
    name, value = request.POST.get("field", ""), request.POST.get("value", "")
    before = undo.snapshot(incident)
    fields = {name: _adopted(name, value)}
    changed = services.update(incident, by=by, fields=fields, grants_access=False, origin=Origin.CONSOLE)
    return done(request, incident.pk, _("Saved."), before, version=changed.version)


def _adopted(name: str, value: str) -> Any:
    found: Any = None
    if name == LearntField.SEVERITY:
        found = SEVERITY_OF_WORD.get(value)
    elif name == LearntField.CATEGORY:
        found = Category.objects.active().filter(slug=value).first()
    elif name == LearntField.TEAM and value.isascii() and value.isdigit() and len(value) < 19:
        found = Team.objects.active().filter(pk=int(value)).first()
    if found is None:
        raise DomainError(_("This is not suggested, or no longer."), field="value")
    return found


def _again(request: HttpRequest, incident: Incident, sentence: Any) -> HttpResponse:
    if is_fragment(request):
        context = {**_context(request, incident), "sentence": sentence}
        return show(request, "console/incident/_suggestions_part.html", context)
    say(request, sentence)
    query = list_query(request)
    url = reverse("console:incident-suggestions", args=[incident.reference])
    return HttpResponseRedirect(f"{url}?list={query}" if query else url)
