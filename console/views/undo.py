"""Undo what a person has just changed."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from console.pages import back_to, is_fragment, page, person, say, show
from console.undo import Undone, apply_undo
from console.views.incident import answering
from incidents.models import Incident

MOST_NAMED = 5


@page
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    results = apply_undo(request.POST.get("token", ""), person(request))
    sentence, is_problem = _told(results)
    if not is_fragment(request):
        say(request, sentence, is_problem=is_problem)
        return back_to(request, reverse("console:incidents"))
    if len(results) == 1 and "seen" in request.POST:
        visible = Incident.objects.visible_to(person(request)).select_related(
            "category", "team", "assignee", "reporter"
        )
        if (incident := visible.filter(pk=results[0].incident).first()) is not None:
            return answering.parts(request, incident, sentence, is_problem=is_problem)
    response = show(request, "console/_toast.html", {"sentence": sentence, "is_problem": is_problem})
    response["HX-Trigger"] = "undone"
    return response


def _told(results: Sequence[Undone]) -> tuple[str, bool]:
    """Return the sentence, and whether it tells a problem."""
    refused = [one for one in results if one.error is not None]
    if not refused:
        return _("Undone."), False
    reasons = " ".join(dict.fromkeys(one.error.message for one in refused[:MOST_NAMED] if one.error is not None))
    done = len(results) - len(refused)
    if not done:
        return reasons, True
    words = {"done": done, "reasons": reasons}
    return ngettext("%(done)d undone. %(reasons)s", "%(done)d undone. %(reasons)s", done) % words, True


urlpatterns = [path("undo/", undo, name="undo")]
