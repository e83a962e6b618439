"""Silences, and the calendar of maintenance."""

import datetime as dt
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from alerts.filters import SILENCES
from alerts.matching import MatcherInvalid, matchers_from
from alerts.models import Alert, Silence
from alerts.routing import SilenceSpec
from alerts.serializers.routing import SilenceSerializer
from alerts.services.ordering import end_silence, require_not_over
from alerts.services.rules import specs_of
from alerts.services.silencing import like, preview
from alerts.views.alerts import alerts_for
from console import maintenance
from console.configuration import store
from console.forms.fields import MatchersField
from console.forms.silences import USUAL, SilenceForm, initial_of
from console.lists import asking, links_of, without_empty
from console.pages import RESPONDERS, page, person, query, say, show
from core.errors import DomainError, NotFound
from core.text.moments import shown_in
from users.models import User

MOST_SHOWN = 500
MOST_HELD = 50
SPAN_YEARS = range(2000, 2100)


@page(roles=RESPONDERS)
def silences(request: HttpRequest) -> HttpResponse:
    if (elsewhere := without_empty(request)) is not None:
        return elsewhere
    asked = request.GET.copy()
    asked.setdefault("is_ended", "false")
    pages = SILENCES.page(asking(request, asked), Silence.objects.all, asker=None)
    rows = _described(pages.rows)
    context = {"silences": rows, "pages": links_of(pages), "is_ended": asked["is_ended"].lower() == "true"}
    return show(request, "console/silences/list.html", context)


@page(roles=RESPONDERS)
def silence(request: HttpRequest, pk: int) -> HttpResponse:
    found = _silence(pk)
    held = Alert.objects.visible_to(person(request)).firing().filter(silenced_by=found).select_related("source")
    context = {**_described([found])[0], "held": held.order_by("-id")[:MOST_HELD]}
    return show(request, "console/silences/detail.html", context)


@page(roles=RESPONDERS)
def new_silence(request: HttpRequest) -> HttpResponse:
    form = SilenceForm(request.POST or None, initial=_initial(request))
    if form.is_valid():
        made = store(
            form,
            SilenceSerializer,
            form.as_api(is_new=True),
            by=person(request),
            created_by=person(request),
        )
        if made is not None:
            say(request, _("The silence is in force from %(time)s.") % {"time": _moment(made.starts_at)})
            return redirect("console:silence", made.pk)
    return _show_form(request, form, _("New silence"))


@page(roles=RESPONDERS)
def edit_silence(request: HttpRequest, pk: int) -> HttpResponse:
    found = _silence(pk)
    require_not_over(found)
    form = SilenceForm(request.POST or None, initial=initial_of(found))
    if form.is_valid() and store(
        form, SilenceSerializer, form.as_api(is_new=False), by=person(request), instance=found
    ):
        say(request, _("Saved."))
        return redirect("console:silence", found.pk)
    return _show_form(request, form, _("Edit the silence"), found)


@page(roles=RESPONDERS)
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    end_silence(_silence(pk), by=person(request))
    say(request, _("The silence has ended. Alerts that still fire get their incidents now."))
    return redirect("console:silence", pk)


@page(roles=RESPONDERS)
@require_POST
def preview_silence(request: HttpRequest) -> HttpResponse:
    """Show which firing alerts the form's matchers select."""
    field = MatchersField(required=False)
    rows = field.clean(field.widget.value_from_datadict(request.POST, {}, "matchers"))
    return show(request, "console/silences/_preview.html", _previewed(rows, person(request)))


@page(roles=RESPONDERS)
def calendar(request: HttpRequest) -> HttpResponse:
    zone = timezone.get_current_timezone()
    is_week, day = request.GET.get("view") == "week", _day(request.GET.get("at", ""))
    days = maintenance.week_of(day) if is_week else maintenance.month_of(day)
    since = maintenance.start_of(days[0], zone)
    until = maintenance.start_of(days[-1] + dt.timedelta(days=1), zone)
    found = {row.pk: row for row in Silence.objects.filter(starts_at__lt=until, ends_at__gt=since)[:MOST_SHOWN]}
    spans = maintenance.spans_of(specs_of(found.values()), days, zone)
    earlier, later = (_beside(day, is_week, step) for step in (-1, 1))
    context: dict[str, Any] = {
        "is_week": is_week,
        "day": day,
        "days": days,
        "today": timezone.localdate(),
        "earlier": earlier,
        "later": later,
        "spans": [(span, found[span.silence]) for span in spans],
        "hours": range(0, 24, 3),
        "is_cut": len(found) == MOST_SHOWN,
    }
    if is_week:
        context["bars"] = [(bar, found[bar.span.silence]) for bar in maintenance.week_bars(spans, days)]
    else:
        weeks = maintenance.month_weeks(spans, days)
        context["weeks"] = [(week, [(bar, found[bar.span.silence]) for bar in week.bars]) for week in weeks]
        context["height"] = weeks[-1].y + weeks[-1].height
    return show(request, "console/silences/calendar.html", context)


def _show_form(request: HttpRequest, form: SilenceForm, title: str, found: Silence | None = None) -> HttpResponse:
    rows = form["matchers"].value() or []
    context = {
        "form": form,
        "title": title,
        "silence": found,
        "durations": ((1, _("1 h")), (2, _("2 h")), (8, _("8 h")), (24, _("1 day")), (72, _("3 days"))),
        "label_names": label_names(person(request)),
        **_previewed(rows, person(request)),
    }
    return show(request, "console/silences/form.html", context, status=422 if form.errors else 200)


def label_names(viewer: User) -> list[str]:
    """Return names of labels that firing alerts carry, to choose from."""
    labels = Alert.objects.visible_to(viewer).firing().order_by("-id").values_list("labels", flat=True)[:100]
    return ["severity", "source", *sorted({name for one in labels for name in one})[:100]]


def _previewed(rows: list[dict[str, str]], viewer: User) -> dict[str, Any]:
    try:
        return {"preview": preview(matchers_from(rows), viewer=viewer), "preview_error": ""}
    except MatcherInvalid as error:
        return {"preview": None, "preview_error": str(error)}


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Suggest two hours, and what the address names: an alert, or a label."""
    initial: dict[str, Any] = {
        "ends_at": timezone.now() + USUAL,
        "time_zone": timezone.get_current_timezone_name(),
    }
    number = request.GET.get("alert", "")
    if number.isascii() and number.isdigit() and len(number) < 19:
        initial["matchers"] = like(alerts_for(query(request), [int(number)])[0])
    elif request.GET.get("name"):
        initial["matchers"] = [{"name": request.GET["name"], "op": "=", "value": request.GET.get("value", "")}]
    return initial


def _silence(pk: int) -> Silence:
    found = Silence.objects.select_related("created_by").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Silence %(id)s does not exist.") % {"id": pk})
    return found


def _described(rows: list[Silence]) -> list[dict[str, Any]]:
    """Return silences with their state, and when they are active next."""
    now = timezone.now()
    prefetch_related_objects(rows, "created_by")
    found = []
    for row, spec in zip(rows, specs_of(rows), strict=True):
        state = _state(row, spec, now)
        following = next(spec.spans(now, row.ends_at), None) if state in ("between", "upcoming") else None
        found.append({"row": row, "state": state, "next": following[0] if following else None})
    return found


def _state(row: Silence, spec: SilenceSpec, now: dt.datetime) -> str:
    if row.ends_at <= now:
        return "ended"
    if row.starts_at > now:
        return "upcoming"
    return "active" if spec.is_active(now) else "between"


def _day(text: str) -> dt.date:
    if not text:
        return timezone.localdate()
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.year not in SPAN_YEARS:
        raise DomainError(_("Name a day such as 2026-11-30."))
    return day


def _beside(day: dt.date, is_week: bool, step: int) -> dt.date:
    if is_week:
        return day + dt.timedelta(days=7 * step)
    return (day.replace(day=15) + dt.timedelta(days=30 * step)).replace(day=1)


def _moment(moment: dt.datetime) -> str:
    return shown_in(moment, timezone.get_current_timezone(), "long", has_zone=True)


urlpatterns = [
    path("silences/", silences, name="silences"),
    path("silences/new/", new_silence, name="silence-new"),
    path("silences/preview/", preview_silence, name="silence-preview"),
    path("silences/calendar/", calendar, name="silence-calendar"),
    path("silences/<int:pk>/", silence, name="silence"),
    path("silences/<int:pk>/edit/", edit_silence, name="silence-edit"),
    path("silences/<int:pk>/end/", end, name="silence-end"),
]
