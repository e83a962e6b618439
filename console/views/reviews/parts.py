"""Add, change, order and remove what a review consists of: moments, contributing factors, participants."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from console.forms.reviews import FactorForm, MomentForm, PartForm, ParticipantEditForm, ParticipantForm
from console.pages import RESPONDERS, page, person, show
from console.views.incident import timeline
from console.views.reviews.answering import address, ask, attempt, data_of, done, is_sent
from console.views.reviews.reading import review_of
from core.errors import DomainError, NotFound
from reviews.models import Factor, Moment, Participant, Review
from reviews.permissions import require_edit
from reviews.services import drafting, editing
from reviews.services.ordering import move_factor
from reviews.services.reviewing import require_open

MOST_CHOSEN = 50  # as many as a page of the timeline has


@dataclass(frozen=True)
class Kind:
    """A kind of part: how it is called, which forms and services it has."""

    model: Any
    anchor: str
    fields: tuple[str, ...]
    new: tuple[Any, type[PartForm], Callable[..., Any]]
    changed: tuple[Any, type[PartForm], Callable[..., Any]]
    remove: Callable[..., Any]


KINDS = {
    "moment": Kind(
        Moment,
        "narrative",
        ("at", "text"),
        (gettext_lazy("Add a moment"), MomentForm, editing.add_moment),
        (gettext_lazy("Edit the moment"), MomentForm, editing.edit_moment),
        editing.remove_moment,
    ),
    "factor": Kind(
        Factor,
        "factors",
        ("text",),
        (gettext_lazy("Add a contributing factor"), FactorForm, editing.add_factor),
        (gettext_lazy("Edit the contributing factor"), FactorForm, editing.edit_factor),
        editing.remove_factor,
    ),
    "participant": Kind(
        Participant,
        "participants",
        ("part", "notes"),
        (gettext_lazy("Add a participant"), ParticipantForm, editing.add_participant),
        (gettext_lazy("Edit part and notes"), ParticipantEditForm, editing.edit_participant),
        editing.remove_participant,
    ),
}


def editable(request: HttpRequest, pk: int) -> Review:
    """Return a review that may be changed. Raises NotFound, PermissionRefused, Conflict."""
    review = review_of(request, pk)
    require_edit(person(request), review)
    require_open(review)
    return review


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    review, one = editable(request, pk), KINDS[kind]
    title, form_class, service = one.new
    form = form_class(data_of(request), initial=_beginning(review, kind))
    if is_sent(request, form) and attempt(form, lambda: service(review, by=person(request), **form.values)):
        return done(request, review, one.anchor, _("Added."))
    return ask(request, review, form, title, button=_("Add"), back=address(review, one.anchor))


def _beginning(review: Review, kind: str) -> dict[str, Any]:
    return {"at": review.incident.occurred_at} if kind == "moment" else {}


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int, number: int, kind: str) -> HttpResponse:
    review, one = editable(request, pk), KINDS[kind]
    row = _row(one, review, number)
    title, form_class, service = one.changed
    form = form_class(data_of(request), initial={name: getattr(row, name) for name in one.fields})
    if is_sent(request, form):
        save = partial(service, row, by=person(request), changes=form.changes, expected_version=review.version)
        if not form.changes or attempt(form, save):
            return done(request, review, one.anchor, _("Saved."))
    return ask(request, review, form, title, back=address(review, one.anchor), row=row, subject=_subject(row))


def _subject(row: Any) -> str:
    return row.user.name if isinstance(row, Participant) else ""


@page(roles=RESPONDERS)
@require_POST
def remove(request: HttpRequest, pk: int, number: int, kind: str) -> HttpResponse:
    review, one = editable(request, pk), KINDS[kind]
    one.remove(_row(one, review, number), by=person(request))
    return done(request, review, one.anchor, _("Removed."))


@page(roles=RESPONDERS)
@require_POST
def reorder(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Move a contributing factor up or down by one."""
    review = editable(request, pk)
    factor = _row(KINDS["factor"], review, number)
    move_factor(factor, by=person(request), is_down="up" not in request.POST)
    return done(request, review, "factors", _("Moved."))


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def pick(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose rows of the timeline that become moments."""
    review, by = editable(request, pk), person(request)
    before = timeline.number_in(request.POST.get("before") or request.GET.get("before"))
    if request.method == "POST":
        moments = drafting.add_moments(review, _chosen(request), by=by)
        sentence = ngettext("%(number)s moment added.", "%(number)s moments added.", len(moments))
        return done(request, review, "narrative", sentence % {"number": len(moments)})
    chips = timeline.chips_for(by)
    chip = request.GET.get("show", "all")
    chip = chip if chip in dict(chips) else "all"
    told = set(Moment.objects.filter(review=review).exclude(event=None).values_list("event", flat=True))
    context = {
        "review": review,
        "incident": review.incident,
        "entries": timeline.entries_of(review.incident, by, chip=chip, before=before),
        "chips": chips,
        "chip": chip,
        "before": before,
        "told": told,
        "back": address(review, "narrative"),
    }
    return show(request, "console/reviews/pick.html", context)


def _chosen(request: HttpRequest) -> list[int]:
    given = request.POST.getlist("event")
    numbers = [int(text) for text in given if text.isascii() and text.isdigit() and len(text) < 19]
    if not numbers:
        raise DomainError(_("Choose one or more rows of the timeline."), field="event")
    return numbers[:MOST_CHOSEN]


def _row(kind: Kind, review: Review, number: int) -> Any:
    rows = kind.model.objects.filter(review=review, pk=number) if number < 2**63 else ()
    for row in rows:
        return row
    raise NotFound(_("It was removed already."))
