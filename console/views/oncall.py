"""Who is on call: everywhere, and by schedule."""

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from console.oncall import reading
from console.oncall.drawing import Line, draw, midnight
from console.oncall.reading import calendar_of, entries_of, overrides_of, overview
from console.pages import page, person, show
from core.errors import DomainError
from core.text.zones import zone_named
from responders.models import EscalationPolicy, Schedule
from responders.oncall.walltime import DAY, wall_of
from responders.permissions import may_cover
from responders.services.handing_over import notes_between
from responders.services.oncall import AROUND, on_call_and_next
from responders.services.tokens import new_calendar_token, revoke_calendar_token

VIEWS = ("week", "month", "list")
LIST_DAYS = 56
YEARS = range(1971, 2199)


@page
def on_call(request: HttpRequest) -> HttpResponse:
    viewer = person(request)
    is_mine_only = request.GET.get("teams") == "mine"
    found = overview(viewer, timezone.now(), is_mine_only=is_mine_only)
    context = {"found": found, "is_mine_only": is_mine_only, "most_gaps": reading.MOST_GAPS}
    return show(request, "console/oncall/overview.html", context)


@page
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    viewer, now = person(request), timezone.now()
    row = get_object_or_404(Schedule.objects.select_related("team"), pk=pk)
    zone_name = row.time_zone if request.GET.get("zone") == "schedule" else viewer.time_zone
    zone = zone_named(zone_name)
    view = request.GET.get("view", "week")
    if view not in VIEWS:
        raise DomainError(_("The views are week, month and list."))
    first, days = _extent(view, _day(request, now, zone))
    start, end = midnight(first, zone), midnight(first + DAY * days, zone)
    calendar = calendar_of(row, start, end, with_layers=view == "week")
    present, following = on_call_and_next([pk], now)[pk]
    context: dict[str, Any] = {
        "schedule": row,
        "present": present,
        "following": following,
        "view": view,
        "zone": zone_name,
        "zone_choice": request.GET.get("zone", "mine"),
        "is_other_zone": row.time_zone != viewer.time_zone,
        "first": first,
        "last": first + DAY * (days - 1),
        "month": first + DAY * 14 if view == "month" else first,
        **_neighbours(view, first, days),
        "calendar": calendar,
        "entries": entries_of(calendar, now),
        "pictures": _pictures(view, first, days, zone, calendar, now),
        "overrides": overrides_of(row, now),
        "may_cover": may_cover(viewer, row),
        "may_note": row.is_active and (may_cover(viewer, row) or viewer.pk in {one.user_id for one in present.people}),
        "notes": notes_between([pk], now - AROUND, now + AROUND) if viewer.is_staff else [],
        "policies": EscalationPolicy.objects.filter(targets__schedule=row).distinct().order_by("name"),
        "now": now,
    }
    with timezone.override(zone):
        return show(request, "console/oncall/schedule.html", context)


def _pictures(view: str, first: dt.date, days: int, zone: Any, calendar: Any, now: dt.datetime) -> list[Any]:
    result = Line(_("On call"), calendar.rendered.shifts, calendar.rendered.gaps)
    if view == "week":
        layers = [Line(name, one.shifts) for name, one in calendar.lines]
        return [draw(first, days, zone, [result, *layers], calendar.names, now, gutter=True)]
    if view == "month":
        weeks = range(0, days, 7)
        return [draw(first + DAY * number, 7, zone, [result], calendar.names, now) for number in weeks]
    return []


def _extent(view: str, day: dt.date) -> tuple[dt.date, int]:
    """Return the first day that is shown, and how many are."""
    if view == "list":
        return day, LIST_DAYS
    if view == "week":
        return day - DAY * day.weekday(), 7
    begins = day.replace(day=1)
    following = (begins + DAY * 31).replace(day=1)
    first = begins - DAY * begins.weekday()
    return first, -(-(following - first).days // 7) * 7


def _neighbours(view: str, first: dt.date, days: int) -> dict[str, dt.date]:
    if view != "month":
        return {"before": first - DAY * days, "after": first + DAY * days}
    month = (first + DAY * 14).replace(day=1)
    return {"before": (month - DAY).replace(day=1), "after": (month + DAY * 31).replace(day=1)}


def _day(request: HttpRequest, now: dt.datetime, zone: Any) -> dt.date:
    text = request.GET.get("from", "")
    if not text:
        return wall_of(now, zone).date()
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise DomainError(_("%(text)s is not a date such as 2026-11-30.") % {"text": text[:40]}, field="from")
    return day


@page
def calendar_address(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show how to subscribe; a POST makes the address, which is shown once."""
    viewer = person(request)
    row = get_object_or_404(Schedule, pk=pk) if pk is not None else None
    context: dict[str, Any] = {"schedule": row}
    if request.method == "POST" and "revoke" in request.POST:
        context["is_revoked"] = revoke_calendar_token(viewer, row)
    elif request.method == "POST":
        token = new_calendar_token(viewer, row)
        address = reverse("schedule-calendar", args=[pk]) if row else reverse("own-calendar")
        context["address"] = request.build_absolute_uri(f"{address}?token={token}")
        context["webcal"] = urlsplit(context["address"])._replace(scheme="webcal").geturl()
    context["has_token"] = viewer.calendar_tokens.filter(schedule=row).exists()
    return show(request, "console/oncall/calendar_address.html", context)


urlpatterns = [
    path("on-call/", on_call, name="on-call"),
    path("on-call/calendar-address/", calendar_address, name="my-calendar-address"),
    path("on-call/<int:pk>/", schedule, name="schedule"),
    path("on-call/<int:pk>/calendar-address/", calendar_address, name="calendar-address"),
]
