"""Overrides and swaps."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from console.oncall.forms import OverrideForm, SwapForm, ZonedForm, local_text
from console.oncall.reading import layer_names
from console.pages import back_to, is_fragment, message_of, page, person, say, show
from core.errors import DomainError
from responders import oncall
from responders.models import Membership, Schedule, ScheduleOverride, ShiftSwap, SwapState
from responders.permissions import require_cover
from responders.serializers.covering import OverrideSerializer
from responders.serializers.lineups import YEARS
from responders.services import covering, swapping
from responders.services.oncall import load, names_of

SHORTEST = dt.timedelta(hours=8)
MOST_PEOPLE, MOST_SEGMENTS = 60, 500
AROUND = dt.timedelta(days=21)
MOST_SWAPS = 100


@page
def override(request: HttpRequest, pk: int) -> HttpResponse:
    viewer, now = person(request), timezone.now()
    row = get_object_or_404(Schedule.objects.active().select_related("team"), pk=pk)
    require_cover(viewer, row)
    zone = _zone(request, row)
    form = OverrideForm(
        request.POST or None, zone=zone, initial=_prefilled(request, now, zone), **_offered(row, request, now)
    )
    if request.method == "POST" and form.is_valid():
        try:
            serializer = OverrideSerializer(data=form.fields_for_api(), context={"schedule": row})
            serializer.is_valid(raise_exception=True)
            covering.add_override(row, **serializer.validated_data, by=viewer, now=now)
        except (DomainError, ValidationError) as error:
            _take(form, error)
        else:
            say(request, _("The override is in force; those affected are told."))
            return back_to(request, reverse("console:schedule", args=[pk]))
    return _form(request, form, row, "override", _("Override of %(name)s") % {"name": row.name})


def _form(request: HttpRequest, form: ZonedForm, schedule: Schedule, name: str, title: str) -> HttpResponse:
    context = {
        "form": form,
        "schedule": schedule,
        "title": title,
        "fields": f"console/oncall/_{name}_form.html",
        "next": request.POST.get("next") or reverse("console:schedule", args=[schedule.pk]),
    }
    template = (
        "console/oncall/_form.html" if is_fragment(request) and request.method == "GET" else "console/oncall/form.html"
    )
    return show(request, template, context, status=400 if form.errors else 200)


def _offered(schedule: Schedule, request: HttpRequest, now: dt.datetime) -> dict[str, Any]:
    """Return who is on call around then, and the layers."""
    start = _moment(request.GET.get("starts")) or now
    spec = load([schedule.pk], start - AROUND, start + AROUND)[schedule.pk].spec
    shifts = oncall.rendered(spec, start - AROUND, start + AROUND, MOST_SEGMENTS).shifts
    people = list(dict.fromkeys(shift.user_id for shift in shifts))[:MOST_PEOPLE]
    return {
        "schedule": schedule,
        "on_call": sorted(names_of(people).items()),
        "layers": layer_names(spec, start + AROUND),
    }


def _prefilled(request: HttpRequest, now: dt.datetime, zone: str) -> dict[str, Any]:
    starts_at = max(_moment(request.GET.get("starts")) or now, now)
    ends_at = _moment(request.GET.get("ends")) or starts_at + SHORTEST
    remove = request.GET.get("remove", "")
    return {
        "starts_at": local_text(starts_at, zone),
        "ends_at": local_text(ends_at, zone),
        "remove": [int(remove)] if remove.isascii() and remove.isdigit() and len(remove) < 19 else [],
        "zone": "schedule" if request.GET.get("zone") == "schedule" else "",
    }


def _zone(request: HttpRequest, schedule: Schedule) -> str:
    wanted = request.POST.get("zone") or request.GET.get("zone")
    return schedule.time_zone if wanted == "schedule" else person(request).time_zone


def _moment(text: str | None) -> dt.datetime | None:
    try:
        moment = parse_datetime(text or "")
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None and moment.year in YEARS else None


def _take(form: ZonedForm, error: DomainError | ValidationError) -> None:
    if isinstance(error, DomainError):
        form.take(error)
    else:
        form.add_error(None, message_of(error))


@page
def end_override(request: HttpRequest, pk: int, override: int) -> HttpResponse:
    row = get_object_or_404(ScheduleOverride.objects.select_related("schedule"), pk=override, schedule=pk)
    covering.remove_override(row, by=person(request), now=timezone.now())
    say(request, _("The override ended; those affected are told."))
    return back_to(request, reverse("console:schedule", args=[pk]))


@page
def swaps(request: HttpRequest) -> HttpResponse:
    """List swaps: those that wait for somebody first."""
    viewer = person(request)
    rows = ShiftSwap.objects.select_related("schedule", "requester", "taker")
    if not viewer.is_admin:
        mine = rows.filter(schedule__team__in=Membership.objects.team_ids_of(viewer))
        rows = (mine | rows.filter(requester=viewer) | rows.filter(taker=viewer)).distinct()
    is_waiting = {"state__in": [SwapState.OPEN, SwapState.TAKEN], "ends_at__gt": timezone.now()}
    context = {
        "waiting": rows.filter(**is_waiting).order_by("starts_at", "pk")[:MOST_SWAPS],
        "settled": rows.exclude(**is_waiting).order_by("-pk")[:MOST_SWAPS],
    }
    return show(request, "console/oncall/swaps.html", context)


@page
def offer_swap(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the team to take one's shift."""
    viewer, now = person(request), timezone.now()
    row = get_object_or_404(Schedule.objects.active().select_related("team"), pk=pk)
    zone = _zone(request, row)
    form = SwapForm(request.POST or None, zone=zone, initial=_prefilled(request, now, zone))
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("starts_at", "ends_at", "comment")}
        try:
            swapping.ask(row, requester=viewer, **given, by=viewer, now=now)
        except DomainError as error:
            form.take(error)
        else:
            say(request, _("Your team is asked. Whoever takes the shift waits for you to approve."))
            return HttpResponseRedirect(reverse("console:swaps"))
    return _form(request, form, row, "swap", _("Ask for cover of %(name)s") % {"name": row.name})


def _on_swap(work: Callable[..., object], sentence: Any) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, swap: int) -> HttpResponse:
        row = get_object_or_404(ShiftSwap.objects.select_related("schedule"), pk=swap)
        work(row, person(request))
        say(request, sentence())
        return back_to(request, reverse("console:swaps"))

    return require_POST(page(view))  # type: ignore[return-value]  # a page is a view


take = _on_swap(
    lambda row, by: swapping.take(row, by=by, now=timezone.now()),
    lambda: _("You take the shift as soon as it is approved."),
)
approve = _on_swap(
    lambda row, by: swapping.approve(row, by=by, now=timezone.now()), lambda: _("Approved: the swap is in force.")
)
withdraw = _on_swap(lambda row, by: swapping.withdraw(row, by=by), lambda: _("Withdrawn."))

urlpatterns = [
    path("on-call/<int:pk>/override/", override, name="override"),
    path("on-call/<int:pk>/overrides/<int:override>/end/", require_POST(end_override), name="override-end"),
    path("on-call/<int:pk>/swap/", offer_swap, name="swap-offer"),
    path("on-call/swaps/", swaps, name="swaps"),
    path("on-call/swaps/<int:swap>/take/", take, name="swap-take"),
    path("on-call/swaps/<int:swap>/approve/", approve, name="swap-approve"),
    path("on-call/swaps/<int:swap>/withdraw/", withdraw, name="swap-withdraw"),
]
