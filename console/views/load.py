"""How on-call time and pages are spread, and who could not be reached."""

import datetime as dt
from collections import defaultdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from console.pages import RESPONDERS, page, person, show
from core.errors import DomainError
from core.text.zones import zone_named
from incidents.models import Incident
from notifications.services.readiness import unready_people
from paging.services.load import Load, people_paged
from responders import oncall
from responders.models import Schedule
from responders.services.oncall import load, names_of
from responders.services.reporting import Share, shares_of

HOUR = 3600
SPANS = (28, 91, 365)  # days
MOST = 10_000  # changes of a schedule: hourly turns of a year


@page(roles=RESPONDERS)
def on_call_load(request: HttpRequest) -> HttpResponse:
    viewer, now = person(request), timezone.now()
    days = _span(request)
    start = now - dt.timedelta(days=days)
    schedules = list(Schedule.objects.active().order_by("name"))
    chosen = _chosen(request, schedules)
    paged = {one.user_id: one for one in people_paged(Incident.objects.visible_to(viewer), start, now)}
    counted = [chosen] if chosen else schedules
    past, cut = _shares(counted, start, now)
    ahead, cut_ahead = _shares(counted, now, now + dt.timedelta(days=min(days, SPANS[1])))
    people = set(past) | set(ahead) if chosen else set(past) | set(ahead) | set(paged)
    names = names_of(people)
    rows = [_row(user, names.get(user, ""), paged.get(user), past.get(user), ahead.get(user)) for user in people]
    rows.sort(key=lambda row: (-row["pages"], -row["hours"], row["name"]))
    context = {
        "rows": rows,
        "most": {name: max((row[name] for row in rows), default=0) for name in ("pages", "night_pages", "hours")},
        "schedules": schedules,
        "chosen": chosen,
        "spans": SPANS,
        "days": days,
        "ahead_days": min(days, SPANS[1]),
        "start": start,
        "cut": sorted({*cut, *cut_ahead}),
    }
    return show(request, "console/oncall/load.html", context)


def _span(request: HttpRequest) -> int:
    text = request.GET.get("days", str(SPANS[0]))
    if text not in map(str, SPANS):
        raise DomainError(_("The report covers 28, 91 or 365 days."), field="days")
    return int(text)


def _chosen(request: HttpRequest, schedules: list[Schedule]) -> Schedule | None:
    text = request.GET.get("schedule", "")
    found = next((one for one in schedules if str(one.pk) == text), None)
    if text and found is None:
        raise DomainError(_("There is no such schedule."), field="schedule")
    return found


def _shares(schedules: list[Schedule], start: dt.datetime, end: dt.datetime) -> tuple[dict[int, Share], list[str]]:
    """Return everybody's share of all these schedules, and those that change too often to be counted whole."""
    cut = []
    found: dict[int, Share] = defaultdict(Share)
    for key, one in load([row.pk for row in schedules], start, end).items():
        schedule = next(row for row in schedules if row.pk == key)
        rendered = oncall.rendered(one.spec, start, end, MOST)
        if rendered.until < end:
            cut.append(schedule.name)
        for user, share in shares_of(rendered.shifts, zone_named(schedule.time_zone), schedule.holidays).items():
            _add(found[user], share)
    return dict(found), cut


def _add(total: Share, more: Share) -> None:
    for name in ("seconds", "night_seconds", "weekend_seconds", "holiday_seconds", "shifts"):
        setattr(total, name, getattr(total, name) + getattr(more, name))
    for name in ("nights", "weekends", "holidays"):
        getattr(total, name).update(getattr(more, name))


def _row(user: int, name: str, paged: Load | None, past: Share | None, ahead: Share | None) -> dict[str, Any]:
    past, ahead = past or Share(), ahead or Share()
    return {
        "user_id": user,
        "name": name,
        "pages": paged.pages if paged else 0,
        "night_pages": paged.night_pages if paged else 0,
        "broken_nights": len(paged.nights) if paged else 0,
        "repeats": paged.repeats if paged else 0,
        "hours": round(past.seconds / HOUR),
        "nights": len(past.nights),
        "weekends": len(past.weekends),
        "holidays": len(past.holidays),
        "planned": round(ahead.seconds / HOUR),
        "planned_nights": len(ahead.nights),
        "planned_weekends": len(ahead.weekends),
    }


@page(roles=RESPONDERS)
def readiness(request: HttpRequest) -> HttpResponse:
    found = unready_people(timezone.now())
    context = {
        "unreachable": [one for one in found if not one.is_warning],
        "warnings": [one for one in found if one.is_warning],
    }
    return show(request, "console/oncall/readiness.html", context)


urlpatterns = [
    path("on-call/load/", on_call_load, name="on-call-load"),
    path("on-call/readiness/", readiness, name="readiness"),
]
