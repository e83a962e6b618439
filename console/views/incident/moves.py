"""Move an incident through its lifecycle, and write updates; races are told, words are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from alerts.models import Alert
from console import undo
from console.pages import page, person, show
from console.views.incident import reading
from console.views.incident.answering import ask, done, seen
from console.views.incident.forms import NoteForm, UpdateForm
from console.views.incident.once import UID, once
from console.views.incident.races import Race, last_move, races
from console.views.incident.reading import MOVE_LABELS, firing_alerts, incident_of
from core.errors import InvalidTransition, StaleVersion
from core.text.markdown import render_note
from incidents import services
from incidents.models import Incident, Origin, Status
from incidents.vocabulary import DEFAULT_VISIBILITY, Visibility
from incidents.workflow import ACTIONS_BY_NAME, Action, actions_from
from users.models import User

ATTEMPTS = 3


@dataclass(frozen=True)
class Wish:
    """A move that somebody asks for, with a note."""

    action: Action
    note: str
    visibility: str
    seen: int | None
    is_confirmed: bool
    uid: str  # of the form

    @classmethod
    def of(cls, request: HttpRequest, action: Action, note: str, visibility: str) -> "Wish":
        uid = request.POST.get(UID, "")
        return cls(action, note, visibility, seen(request), "confirmed" in request.POST, uid)


class Raced(Exception):
    """Somebody else moved the incident since the form was opened."""

    def __init__(self, race: Race | None) -> None:
        super().__init__()
        self.race = race


class StillFiring(Exception):
    """Alerts of the incident to be resolved still fire."""

    def __init__(self, alerts: Sequence[Alert]) -> None:
        super().__init__()
        self.alerts = alerts


@page
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, reference: str, name: str) -> HttpResponse:
    incident = incident_of(request, reference)
    action = ACTIONS_BY_NAME.get(name)
    if action is None:
        raise Http404
    form = NoteForm(request.POST or None, is_required=action.needs_note)
    if request.method != "POST" or not form.is_valid():
        return _ask(request, incident, action, form, status=400 if request.method == "POST" else 200)
    note, visibility = form.cleaned_data["note"], form.cleaned_data["visibility"]
    return _move(request, incident, Wish.of(request, action, note, visibility))


@page
@require_POST
def update(request: HttpRequest, reference: str) -> HttpResponse:
    """Add an update, and move where the form says so."""
    incident = incident_of(request, reference)
    form = UpdateForm(request.POST)
    if not form.is_valid():
        return ask(request, incident, _("Add an update"), form, _("Add"), status=400, template="update")
    message, visibility, then = (form.cleaned_data[name] for name in ("message", "visibility", "then"))
    if then in ACTIONS_BY_NAME:
        return _move(request, incident, Wish.of(request, ACTIONS_BY_NAME[then], message, visibility))
    _comment(incident, message, visibility, person(request), request.POST.get(UID, ""))
    sentence = _("Internal note added.") if visibility == Visibility.INTERNAL else _("Public update added.")
    return done(request, incident.pk, sentence)


@page
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    return show(
        request, "console/incident/_preview.html", {"shown": render_note(request.POST.get("message", "")[:20_000])}
    )


def _move(request: HttpRequest, incident: Incident, wish: Wish) -> HttpResponse:
    try:
        before, changed, sentence = _try_move(incident, wish, person(request))
    except StillFiring as firing:
        return _ask(request, incident, wish.action, _bound(wish), status=409, firing=firing.alerts, wish=wish)
    except Raced as raced:
        return _ask_again(request, wish, raced.race, incident.pk)
    return done(request, changed.pk, sentence, before, version=changed.version)


def _try_move(incident: Incident, wish: Wish, by: User) -> tuple[undo.Snapshot, Incident, str]:
    """Move, or keep the words where it is there already; raise Raced if others moved it since it was seen."""
    for _attempt in range(ATTEMPTS):
        before = undo.snapshot(incident)
        if incident.status == wish.action.to_status:
            return before, incident, _there_already(incident, wish, by)
        others = races(incident, wish.seen, ["status"], but=by)
        if others or wish.action not in actions_from(incident.status):
            raise Raced(others[0] if others else last_move(incident))
        if wish.action.to_status == Status.RESOLVED and not wish.is_confirmed and (firing := firing_alerts(incident)):
            raise StillFiring(firing)
        try:
            changed = _write(incident, wish, by)
        except (StaleVersion, InvalidTransition):
            incident.refresh_from_db()
            continue
        words = {"incident": changed.reference, "status": Status(changed.status).label}
        return before, changed, _("%(incident)s: %(status)s.") % words
    raise Raced(last_move(incident))


def _write(incident: Incident, wish: Wish, by: User) -> Incident:
    how: dict[str, Any] = {"by": by, "origin": Origin.CONSOLE, "expected_versions": [incident.version]}
    status = wish.action.to_status
    if not wish.note.strip():
        return services.transition(incident, status, **how)
    moved: list[Incident] = []
    work = partial(services.comment_and_move, incident, wish.note, status, visibility=wish.visibility, **how)
    once(incident, by, wish.uid, f"{wish.visibility}\n{wish.note}", lambda: moved.append(work()))
    if not moved:  # it was, before others moved it on
        incident.refresh_from_db()
    return moved[-1] if moved else incident


def _comment(incident: Incident, message: str, visibility: str, by: User, uid: str) -> None:
    work = partial(services.comment, incident, message, by=by, visibility=visibility, origin=Origin.CONSOLE)
    once(incident, by, uid, f"{visibility}\n{message}", work)


def _there_already(incident: Incident, wish: Wish, by: User) -> str:
    told = last_move(incident)
    sentence = str(told) if told is not None else _("Nothing changed.")
    if not wish.note.strip():
        return sentence
    _comment(incident, wish.note, wish.visibility, by, wish.uid)
    return _("%(sentence)s Your note was added.") % {"sentence": sentence}


def _bound(wish: Wish) -> NoteForm:
    return NoteForm({"note": wish.note, "visibility": wish.visibility}, is_required=wish.action.needs_note)


def _ask(
    request: HttpRequest, incident: Incident, action: Action, form: NoteForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    label = MOVE_LABELS[action.name]
    button = _("Resolve anyway") if more.get("firing") else label
    path = _path(incident, action)
    if firing := more.get("firing"):
        more["has_more_firing"] = len(firing) > reading.MOST_ALERTS
        more["firing"] = firing[: reading.MOST_ALERTS]
    visibility = form["visibility"].value() or DEFAULT_VISIBILITY
    return ask(
        request,
        incident,
        label,
        form,
        button,
        status=status,
        template="move",
        **{"action": path, "is_confirmed": bool(more.get("firing")), "visibility": visibility, **more},
    )


def _ask_again(request: HttpRequest, wish: Wish, race: Race | None, number: int) -> HttpResponse:
    """Tell who was first, keep the note, and offer what is still possible."""
    incident = incident_of(request, f"INC-{number}")
    is_possible = wish.action in actions_from(incident.status)
    return ask(
        request,
        incident,
        MOVE_LABELS[wish.action.name],
        _bound(wish),
        _("Do it anyway") if is_possible else "",
        status=409,
        template="move",
        action=_path(incident, wish.action),
        race=race,
        is_possible=is_possible,
        visibility=wish.visibility,
        note_only=reverse("console:incident-update", args=[incident.reference]) if wish.note.strip() else "",
    )


def _path(incident: Incident, action: Action) -> str:
    return reverse("console:incident-move", args=[incident.reference, action.name])
