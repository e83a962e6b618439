"""What the palette finds: pages, an incident by its number, incidents by words."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from console import navigation
from console.pages import page, person, show
from incidents import search
from incidents.models import Incident
from incidents.views.lookup import NUMBER

MOST = 8
LENGTH = 200


@page
def find(request: HttpRequest) -> HttpResponse:
    words, user = request.GET.get("q", "").strip()[:LENGTH], person(request)
    pages = [
        entry
        for _label, group in navigation.entries(user)
        for entry in group
        if words.casefold() in str(entry["label"]).casefold()
    ]
    return show(request, "console/_palette.html", {"pages": pages[:MOST], "incidents": _incidents(words, user)})


def _incidents(words: str, user: Any) -> list[Incident]:
    visible = Incident.objects.visible_to(user).only("pk", "title", "status", "severity")
    if not words:
        return []
    number = NUMBER.match(words)
    if number is not None:
        return list(visible.filter(pk=int(number.group(1))))
    newest = visible.order_by("-created_at", "-pk")
    reads_internal = user.is_admin or user.is_responder
    return search.first_matching(lambda: newest, words, limit=MOST, reads_internal=reads_internal)


urlpatterns = [path("search/", find, name="search")]
