"""Change freezes, and the global stop."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.configuration import store
from console.forms.remediation import FreezeForm, initial_of_freeze
from console.pages import ADMINS, RESPONDERS, page, person, say, show
from console.views.remediation import reading
from core.db.clock import database_now
from core.db.deleting import delete_configuration
from core.errors import DomainError, NotFound
from remediation.models import FreezeWindow, Stop
from remediation.serializers.runbooks import FreezeWindowSerializer
from remediation.services import stopping
from remediation.services.guarding import window_of

MAX_ID = 2**63 - 1
MOST_STOPS = 10


class StopForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest) -> HttpResponse:
    """Say what a stop does, and stop everything."""
    form, status = StopForm(request.POST or None), 200
    if form.is_valid():
        try:
            stopping.stop(by=person(request), reason=form.cleaned_data["reason"])
        except DomainError as error:
            form.add_error(None, error.message)
            status = error.status
        else:
            say(request, _("All remediation is stopped, until an administrator releases it."))
            return redirect("console:remediation-stop")
    elif form.is_bound:
        status = 400
    past = Stop.objects.filter(active=None).select_related("stopped_by", "released_by")[:MOST_STOPS]
    context = {"form": form, "past": past, "may_release": person(request).is_admin, **reading.surroundings()}
    return show(request, "console/remediation/stop.html", context, status=status)


@page(roles=ADMINS)
@require_POST
def release(request: HttpRequest) -> HttpResponse:
    stopping.release(by=person(request))
    say(request, _("Released. Runs that the stop ended stay so; propose them again."))
    return redirect("console:remediation-stop")


@page(roles=RESPONDERS)
@require_GET
def freezes(request: HttpRequest) -> HttpResponse:
    now = database_now()
    rows = FreezeWindow.objects.prefetch_related("teams", "services").order_by("-ends_at", "-pk")
    context: dict[str, Any] = {
        "rows": [
            {
                "window": row,
                "holds": window_of(row).holds_at(now),
                "is_over": not row.is_weekly and row.ends_at <= now,
                "concerned": [*row.teams.all(), *row.services.all()],
            }
            for row in rows
        ],
        "may_write": person(request).is_admin,
        **reading.surroundings(),
    }
    return show(request, "console/remediation/freezes.html", context)


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def new_freeze(request: HttpRequest) -> HttpResponse:
    zone = timezone.get_current_timezone_name()
    return _answer(request, FreezeForm(request.POST or None, initial={"time_zone": zone}))


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def freeze(request: HttpRequest, pk: int) -> HttpResponse:
    found = _window(pk)
    return _answer(request, FreezeForm(request.POST or None, initial=initial_of_freeze(found)), found)


def _answer(request: HttpRequest, form: FreezeForm, found: FreezeWindow | None = None) -> HttpResponse:
    if form.is_valid() and store(form, FreezeWindowSerializer, form.as_api(), by=person(request), instance=found):
        say(request, _("Saved."))
        return redirect("console:freezes")
    context = {"form": form, "window": found}
    return show(request, "console/remediation/freeze_form.html", context, status=422 if form.errors else 200)


@page(roles=ADMINS)
@require_POST
def delete_freeze(request: HttpRequest, pk: int) -> HttpResponse:
    found = _window(pk)
    delete_configuration(found, by=person(request))
    say(request, _("The freeze window %(name)s is deleted.") % {"name": found.name})
    return redirect("console:freezes")


def _window(pk: int) -> FreezeWindow:
    found = FreezeWindow.objects.filter(pk=pk).first() if pk <= MAX_ID else None
    if found is None:
        raise NotFound(_("This freeze window does not exist."))
    return found


urlpatterns = [
    path("remediation/stop/", stop, name="remediation-stop"),
    path("remediation/release/", release, name="remediation-release"),
    path("freeze-windows/", freezes, name="freezes"),
    path("freeze-windows/new/", new_freeze, name="freeze-new"),
    path("freeze-windows/<int:pk>/", freeze, name="freeze"),
    path("freeze-windows/<int:pk>/delete/", delete_freeze, name="freeze-delete"),
]
