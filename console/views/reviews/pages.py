"""The page of one review, and what moves it on."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.pages import RESPONDERS, page, person, say, show
from console.views.incident import timeline
from console.views.incident.reading import incident_of
from console.views.reviews.answering import address, done
from console.views.reviews.reading import page_context, review_of
from core.errors import Conflict
from incidents.models import Origin
from reviews.models import Review
from reviews.permissions import require_admin
from reviews.services import drafting, editing, publishing
from reviews.vocabulary import MOVES, Part, ReviewState

SENTENCES = {
    ReviewState.DRAFT: gettext_lazy("It is a draft again."),
    ReviewState.IN_REVIEW: gettext_lazy("It is in review. Its reviewers were told."),
    ReviewState.COMPLETED: gettext_lazy("The review is completed."),
}


@page(roles=RESPONDERS)
@require_GET
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a review beside the incident's timeline."""
    return _show(request, review_of(request, pk))


def _show(request: HttpRequest, found: Review, *, status: int = 200, **more: Any) -> HttpResponse:
    viewer = person(request)
    before = timeline.number_in(request.GET.get("before"))
    context = {
        **page_context(found, viewer),
        "entries": timeline.entries_of(found.incident, viewer, before=before),
        "before": before,
        "steps": MOVES[ReviewState(found.state)],
        **more,
    }
    return show(request, "console/reviews/page.html", context, status=status)


@page(roles=RESPONDERS)
@require_POST
def start(request: HttpRequest, reference: str) -> HttpResponse:
    """Draft the review of an incident; one that there is already is opened."""
    incident = incident_of(request, reference)
    try:
        made = drafting.start_review(incident, by=person(request), origin=Origin.CONSOLE)
    except Conflict as error:
        if error.code != "already_exists":
            raise
        return HttpResponseRedirect(address(error.extra["review"]))
    say(request, _("Drafted from the timeline. The moments are a beginning: rewrite them, add what is missing."))
    return HttpResponseRedirect(address(made))


@page(roles=RESPONDERS)
@require_POST
def move(request: HttpRequest, pk: int, state: str) -> HttpResponse:
    """Move the review on or back; what it lacks is told with links to it."""
    found = review_of(request, pk)
    if state not in ReviewState.values:
        raise Http404
    try:
        moved = editing.move_review(found, by=person(request), state=state, origin=Origin.CONSOLE)
    except editing.Incomplete:
        return _show(request, found, status=409, is_refused=True)
    return done(request, moved, "", _outcome(moved))


def _outcome(moved: Review) -> str:
    """Say what the move did; without reviewers, that nobody was told."""
    if moved.state == ReviewState.IN_REVIEW and not moved.participants.filter(part=Part.REVIEWER).exists():
        return _("It is in review. Nobody is listed as a reviewer yet; add one under People.")
    return str(SENTENCES[ReviewState(moved.state)])


@page(roles=RESPONDERS)
@require_POST
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    found = publishing.publish_edition(review_of(request, pk), by=person(request), origin=Origin.CONSOLE)
    return done(request, found, "public", _("The public edition is on the status page."))


@page(roles=RESPONDERS)
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    found = publishing.withdraw_edition(review_of(request, pk), by=person(request), origin=Origin.CONSOLE)
    return done(request, found, "public", _("The public edition is no longer on the status page."))


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then delete the review with all that it has."""
    found = review_of(request, pk)
    require_admin(person(request))
    if request.method != "POST":
        context = {"review": found, "incident": found.incident, "back": address(found)}
        return show(request, "console/reviews/delete.html", context)
    editing.delete_review(found, by=person(request))
    say(request, _("The review of %(incident)s is deleted.") % {"incident": found.incident.reference})
    return HttpResponseRedirect(reverse("console:reviews"))
