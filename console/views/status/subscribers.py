"""Who is told by mail."""

from types import SimpleNamespace
from typing import Any

from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from console.configuration import refusals_on
from console.forms.status.subscribers import ImportForm, SubscriberFilterForm
from console.forms.status.texts import language_name
from console.lists import PAGING, links_of, without_empty
from console.pages import ADMINS, page, person, query, say, show
from core.api.paging import Key, KeysetPagination
from core.api.problems import refuse_unknown_parameters
from core.errors import DomainError, NotFound
from status_page.models import Subscriber
from status_page.services import subscribing
from status_page.services.page import the_page
from status_page.vocabulary import SubscriberState

FILTERS = frozenset({"q", "state"})


@page(roles=ADMINS)
def subscribers(request: HttpRequest) -> HttpResponse:
    """List them, the newest first."""
    if (plain := without_empty(request)) is not None:
        return plain
    refuse_unknown_parameters(request, PAGING | FILTERS)
    form = SubscriberFilterForm(request.GET)
    if not form.is_valid():
        raise DomainError(_("The state is one of %(words)s.") % {"words": ", ".join(SubscriberState.values)})
    rows = _filtered(form.cleaned_data)
    pages = KeysetPagination()
    view: Any = SimpleNamespace(orderings={"id": [Key("id")]}, default_ordering="-id")
    pages.paginate_queryset(rows.prefetch_related("components"), query(request), view)
    context = {
        "form": form,
        "subscribers": [(row, language_name(row.language)) for row in pages.rows],
        "pages": links_of(pages),
        "count": rows.count(),
        "is_filtered": bool(request.GET.get("q") or request.GET.get("state")),
        "takes_subscribers": the_page().takes_subscribers,
        "active": SubscriberState.ACTIVE,
        "unsubscribed": SubscriberState.UNSUBSCRIBED,
    }
    return show(request, "console/status/subscribers.html", context)


def _filtered(given: dict[str, Any]) -> Any:
    rows = Subscriber.objects.all()
    if given["q"]:
        rows = rows.annotate(lowered=Lower("email")).filter(lowered__contains=given["q"].lower())
    return rows.filter(state=given["state"]) if given["state"] else rows


@page(roles=ADMINS)
@require_POST
def end_subscription(request: HttpRequest, pk: int) -> HttpResponse:
    """Unsubscribe somebody who asked for it by other ways."""
    found = Subscriber.objects.filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("This subscription does not exist any more."))
    subscribing.end_by_admin(found, by=person(request), now=timezone.now())
    say(request, _("%(email)s is unsubscribed.") % {"email": found.email})
    return redirect("console:status-subscribers")


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def import_subscribers(request: HttpRequest) -> HttpResponse:
    form = ImportForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        with refusals_on(form):
            requests = form.cleaned_data["requests"]
            number = subscribing.import_subscribers(requests, by=person(request), now=timezone.now())
            said = ngettext("%(number)s new subscriber.", "%(number)s new subscribers.", number)
            say(request, said % {"number": number})
            if known := len(requests) - number:
                words = {"number": known}
                said = ngettext(
                    "%(number)s address was known and is left as it was.",
                    "%(number)s addresses were known and are left as they were.",
                    known,
                )
                say(request, said % words)
            return redirect("console:status-subscribers")
    return show(request, "console/status/import.html", {"form": form}, status=422 if form.errors else 200)
