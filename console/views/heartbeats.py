"""Heartbeats: who reports that all is well, and who is late."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from alerts.models import Heartbeat
from alerts.serializers.sources import HeartbeatSerializer
from console.configuration import store
from console.forms.sources import HeartbeatForm, heartbeat_initial
from console.lists import keyset_page, links_of
from console.pages import ADMINS, page, person, say, show
from console.views.sources import address_of
from core.db.deleting import delete_configuration
from core.errors import NotFound
from intake.models import Source

MOST_SOURCES = 200


@page(roles=ADMINS)
def heartbeats(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    pages = keyset_page(request, Heartbeat.objects.select_related("source"), by="name")
    watched = Source.objects.filter(heartbeat_minutes__isnull=False)[:MOST_SOURCES]
    context = {
        "heartbeats": [
            {
                "row": row,
                **_state(row.is_enabled and row.source.is_enabled, row.last_ping_at, row.interval_minutes, now),
            }
            for row in pages.rows
        ],
        "sources": [
            {"row": row, **_state(row.is_enabled, row.quiet_since(), row.heartbeat_minutes or 0, now)}
            for row in watched
        ],
        "pages": links_of(pages),
        "url": address_of(request),
    }
    return show(request, "console/heartbeats/list.html", context)


@page(roles=ADMINS)
def new_heartbeat(request: HttpRequest) -> HttpResponse:
    form = HeartbeatForm(request.POST or None, initial={"source": request.GET.get("source")})
    if form.is_valid() and store(form, HeartbeatSerializer, form.cleaned_data, by=person(request)):
        say(request, _("Its first ping is expected from now on."))
        return redirect("console:heartbeats")
    return _show_form(request, form)


@page(roles=ADMINS)
def edit_heartbeat(request: HttpRequest, pk: int) -> HttpResponse:
    found = _heartbeat(pk)
    form = HeartbeatForm(request.POST or None, initial=heartbeat_initial(found))
    if form.is_valid() and store(form, HeartbeatSerializer, form.cleaned_data, by=person(request), instance=found):
        say(request, _("Saved."))
        return redirect("console:heartbeats")
    return _show_form(request, form, found)


@page(roles=ADMINS)
@require_POST
def delete_heartbeat(request: HttpRequest, pk: int) -> HttpResponse:
    found = _heartbeat(pk)
    delete_configuration(found, by=person(request))
    say(request, _("The heartbeat %(name)s is deleted; its next ping makes it anew.") % {"name": found.name})
    return redirect("console:heartbeats")


def _show_form(request: HttpRequest, form: HeartbeatForm, found: Heartbeat | None = None) -> HttpResponse:
    context = {"form": form, "heartbeat": found}
    return show(request, "console/heartbeats/form.html", context, status=422 if form.errors else 200)


def _heartbeat(pk: int) -> Heartbeat:
    found = Heartbeat.objects.select_related("source").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Heartbeat %(id)s does not exist.") % {"id": pk})
    return found


def _state(is_enabled: bool, last: dt.datetime, minutes: int, now: dt.datetime) -> dict[str, Any]:
    late = (now - last).total_seconds() - minutes * 60
    state = "off" if not is_enabled else "late" if late > 0 else "alive"
    return {
        "state": state,
        "last": last,
        "every": minutes * 60,
        "late": late,
        "due": last + dt.timedelta(minutes=minutes),
    }


urlpatterns = [
    path("heartbeats/", heartbeats, name="heartbeats"),
    path("heartbeats/new/", new_heartbeat, name="heartbeat-new"),
    path("heartbeats/<int:pk>/", edit_heartbeat, name="heartbeat"),
    path("heartbeats/<int:pk>/delete/", delete_heartbeat, name="heartbeat-delete"),
]
