"""Action items: of one review, and all of them with who owes what."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.forms.reviews import ItemEditForm, ItemForm
from console.lists import PAGING, links_of, without_empty
from console.pages import RESPONDERS, back_to, page, person, query, say, show
from console.views.reviews.answering import address, ask, attempt, data_of, done, is_sent
from console.views.reviews.filters import ITEM_TABS, tab_of, tabs_of, to_tab
from console.views.reviews.parts import editable
from console.views.reviews.reading import rows_of
from core.errors import DomainError, NotFound, PermissionRefused
from incidents.models import Incident
from responders.models import Team
from reviews.filters import ITEMS
from reviews.models import ActionItem
from reviews.permissions import can_edit, can_progress
from reviews.services import items
from reviews.services.items import PROGRESS
from reviews.services.reporting import csv_rows, summary_of
from reviews.vocabulary import ItemState, ReviewState
from users.models import User

MOST_OWNERS = 50
WRITTEN = ("title", "description", "owner", "due_on", "url", "state")


@page(roles=RESPONDERS)
@require_GET
def action_items(request: HttpRequest) -> HttpResponse:
    """Show action items, the first due on top, and who has overdue ones."""
    if (redirect := without_empty(request)) is not None:
        return redirect
    viewer = person(request)
    if not request.GET:
        mine = ActionItem.objects.filter(owner=viewer).unfinished().exists()
        return to_tab(request, ITEM_TABS, "mine" if mine else "open")
    asker = Incident.objects.visibility_key(viewer)
    pages = ITEMS.page(query(request), partial(ActionItem.objects.visible_to, viewer), asker=asker)
    tab = tab_of(request, ITEM_TABS)
    context = {
        "rows": rows_of(pages.rows, viewer),
        "pages": links_of(pages),
        **tabs_of(request, ITEM_TABS, tab),
        "states": ItemState.choices,
        "people": User.objects.can_respond().order_by("name").values_list("pk", "name"),
        "teams": Team.objects.active().order_by("name").values_list("pk", "name"),
        "owners": _owners(viewer) if tab == "overdue" else [],
        "csv_query": _without_paging(request),
        "asked": {name: request.GET.get(name, "") for name in ITEMS.filters},
    }
    return show(request, "console/reviews/items.html", context)


def _without_paging(request: HttpRequest) -> str:
    given = request.GET.copy()
    for name in PAGING & set(given):
        del given[name]
    return given.urlencode()


def _owners(viewer: User) -> list[dict[str, Any]]:
    """Return who has overdue action items, the most on top."""
    report = summary_of(ActionItem.objects.visible_to(viewer), timezone.localdate())
    return [one for one in report["by_owner"] if one["overdue"]][:MOST_OWNERS]


@page(roles=RESPONDERS)
@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """Send the chosen action items as CSV that trackers import."""
    viewer = person(request)
    with ITEMS.refusing(query(request)):
        chosen = ITEMS.select(ActionItem.objects.visible_to(viewer), query(request)).rows
    response = StreamingHttpResponse(csv_rows(chosen), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="action-items.csv"'
    return response


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    review = editable(request, pk)
    form = ItemForm(data_of(request))
    if is_sent(request, form) and attempt(form, lambda: items.add_item(review, by=person(request), **form.values)):
        return done(request, review, "action-items", _("Added."))
    return ask(request, review, form, _("Add an action item"), button=_("Add"), back=address(review, "action-items"))


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    item, by = item_of(request, pk), person(request)
    review = item.review
    works = can_edit(by, review)
    initial = {name: getattr(item, name) for name in WRITTEN} | {"owner": item.owner_id}
    form = ItemEditForm(data_of(request), initial=initial)
    if not can_progress(by, item, review):
        raise PermissionRefused(_("Only the incident's team, the review's owner and the item's owner can change it."))
    if not works:
        form.restrict(PROGRESS)
    if is_sent(request, form) and attempt(form, lambda: items.edit_item(item, by=by, changes=form.changes)):
        return done(request, review, "action-items", _("Saved."))
    may_remove = works and review.state != ReviewState.COMPLETED
    back = address(review, "action-items")
    return ask(request, review, form, _("Edit the action item"), back=back, item=item if may_remove else None)


@page(roles=RESPONDERS)
@require_POST
def set_state(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how far an action item got."""
    item = item_of(request, pk)
    state = request.POST.get("state", "")
    if state not in ItemState.values:
        raise DomainError(_("Choose a state."), field="state")
    items.edit_item(item, by=person(request), changes={"state": state})
    say(request, _("%(item)s: %(state)s.") % {"item": item.title, "state": ItemState(state).label})
    return back_to(request, reverse("console:action-items"))


@page(roles=RESPONDERS)
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    item = item_of(request, pk)
    items.remove_item(item, by=person(request))
    return done(request, item.review, "action-items", _("Removed."))


def item_of(request: HttpRequest, pk: int) -> ActionItem:
    """Return an action item of a review that the person sees. Raises NotFound."""
    visible = ActionItem.objects.visible_to(person(request)) if pk < 2**63 else ActionItem.objects.none()
    found = visible.filter(pk=pk).select_related("owner", "review__incident", "review__owner").first()
    if found is None:
        raise NotFound(_("This action item does not exist, or you do not have access to it."))
    return found
