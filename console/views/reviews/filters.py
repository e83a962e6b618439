"""The tabs of the lists of reviews and of action items: addresses of the lists' own filters."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from console.lists import PAGING, to_list
from reviews.vocabulary import UNFINISHED, UNFINISHED_REVIEWS, ItemState, ReviewState

STILL, ANY = ",".join(UNFINISHED_REVIEWS), ",".join(ReviewState.values)
TO_DO, ANY_ITEM = ",".join(UNFINISHED), ",".join(ItemState.values)
Tabs = dict[str, tuple[Any, dict[str, str]]]
REVIEW_TABS: Tabs = {
    "mine": (_("Mine"), {"owner": "me", "state": STILL, "ordering": "due_at"}),
    "open": (pgettext_lazy("review", "Open"), {"state": STILL}),
    "overdue": (_("Overdue"), {"overdue": "true", "ordering": "due_at"}),
    "completed": (pgettext_lazy("review", "Completed"), {"state": ReviewState.COMPLETED.value}),
    "all": (_("All"), {"state": ANY}),
}
ITEM_TABS: Tabs = {
    "mine": (_("Mine"), {"owner": "me", "state": TO_DO}),
    "open": (pgettext_lazy("action item", "Open"), {"state": TO_DO}),
    "overdue": (_("Overdue"), {"overdue": "true"}),
    "done": (pgettext_lazy("action item", "Done"), {"state": ItemState.DONE.value, "ordering": "-id"}),
    "all": (_("All"), {"state": ANY_ITEM, "ordering": "-id"}),
}
NARROWING = ("owner", "team", "q")


def tab_of(request: HttpRequest, tabs: Tabs) -> str:
    """Return which tab the address is, whatever narrows it further; "" for another choice."""
    given = {name: value for name, value in request.GET.items() if name not in PAGING}
    for tab, (_label, wanted) in tabs.items():
        asked = {name: value for name, value in wanted.items() if name not in PAGING}
        if {name: value for name, value in given.items() if name in asked or name not in NARROWING} == asked:
            return tab
    return ""


def to_tab(request: HttpRequest, tabs: Tabs, tab: str) -> HttpResponse:
    """Redirect to a list's tab."""
    return to_list(request, list(tabs[tab][1].items()))


def tabs_of(request: HttpRequest, tabs: Tabs, tab: str) -> dict[str, Any]:
    """Return a list's tabs with their addresses, what its form keeps, and whether more narrows it."""
    wanted = tabs[tab][1] if tab else {}
    kept = {name: value for name, value in request.GET.items() if name not in (*NARROWING, "cursor") or name in wanted}
    return {
        "tab": tab,
        "tabs": [(name, label, urlencode(query)) for name, (label, query) in tabs.items()],
        "kept": list(kept.items()),
        "clear": urlencode(wanted),
        "is_filtered": not tab or any(name in request.GET for name in NARROWING if name not in wanted),
    }
