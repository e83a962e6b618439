"""The ledger: every message, every attempt, and what an administrator does about it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.pages import ADMINS, back_to, page, query, say, show
from notifications.channels.port import all_channels
from notifications.filters import DELIVERIES
from notifications.models import Delivery
from notifications.services import ledger
from notifications.vocabulary import PENDING, Kind, State
from users.models import User

TROUBLED = (State.FAILED, State.HELD)


@page(roles=ADMINS)
def deliveries(request: HttpRequest) -> HttpResponse:
    if any(not value for value in request.GET.values()):  # a form sends its empty fields
        given = request.GET.copy()
        for name in [name for name, value in given.items() if not value]:
            del given[name]
        return HttpResponseRedirect(f"{reverse('console:deliveries')}?{given.urlencode()}")
    pages = DELIVERIES.page(query(request), Delivery.objects.all, asker=None)
    context: dict[str, Any] = {
        "deliveries": [_shown(row) for row in pages.rows],
        "pages": pages.get_paginated_response([]).data,
        "states": State.choices,
        "kinds": Kind.choices,
        "channels": [(channel.kind, channel.label) for channel in all_channels()],
        "people": User.objects.can_respond().order_by("name").values_list("pk", "name"),
        "is_filtered": any(name in DELIVERIES.filters for name in request.GET),
        "asked": {name: request.GET.get(name, "") for name in DELIVERIES.filters},
    }
    return show(request, "console/deliveries/list.html", context)


def _shown(row: Delivery) -> dict[str, Any]:
    is_over = row.state in ledger.REPEATABLE and row.kind != Kind.CODE
    return {
        "row": row,
        "attempts": list(row.attempts.all()),
        "may_retry": is_over,
        "may_cancel": row.state in PENDING,
        "may_release": row.state == State.HELD,
        "is_troubled": row.state in TROUBLED,
    }


def _acting(work: Callable[[Delivery], Delivery], sentence: Callable[[], str]) -> Callable[..., Any]:
    @page(roles=ADMINS)
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        work(get_object_or_404(Delivery, pk=pk))
        say(request, sentence())
        return back_to(request, reverse("console:deliveries"))

    return require_POST(view)


urlpatterns = [
    path("deliveries/", deliveries, name="deliveries"),
    path("deliveries/<int:pk>/retry/", _acting(ledger.retry, lambda: _("It is sent again.")), name="delivery-retry"),
    path("deliveries/<int:pk>/cancel/", _acting(ledger.cancel, lambda: _("Cancelled.")), name="delivery-cancel"),
    path(
        "deliveries/<int:pk>/release/", _acting(ledger.release, lambda: _("It is sent now.")), name="delivery-release"
    ),
]
