"""Schedules and their layers, for administrators."""

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from console.oncall import layers as editing
from console.oncall.drawing import Line, draw
from console.oncall.forms import MomentField, ZonedForm
from console.oncall.layers import WALL, LayerState
from console.oncall.reading import MOST
from console.pages import ADMINS, message_of, page, person, say, show
from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import DomainError, StaleVersion
from core.text.zones import zone_named
from responders import oncall
from responders.models import EscalationPolicy, Schedule, Team
from responders.oncall.walltime import DAY, wall_of
from responders.serializers.lineups import MOST_LAYERS
from responders.serializers.policies import EscalationPolicySerializer
from responders.serializers.schedules import ChangedScheduleSerializer, ScheduleSerializer
from responders.services import lineups
from responders.services.oncall import names_of
from responders.validation import zone_names
from users.models import User

WEEKS_SHOWN = 4
MOST_MOVES = 40
UNITS = (
    ("hours", gettext_lazy("hours")),
    ("days", gettext_lazy("days")),
    ("weeks", gettext_lazy("weeks")),
    ("months", gettext_lazy("months")),
)
NEXT_AFTER = 10  # minutes
DAY_NAMES = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)


class LineUpForm(ZonedForm):
    """What a line-up says beyond its layers."""

    effective_from = MomentField(
        label=gettext_lazy("In force from"),
        required=False,
        help_text=gettext_lazy("Empty: from the next hand-over of what changes. What has passed never changes."),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        help_text=gettext_lazy("Hand-overs follow its clocks."),
    )
    expected = forms.CharField(widget=forms.HiddenInput)


@page(roles=ADMINS)
def layers(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Schedule.objects.select_related("team"), pk=pk)
    newest = lineups.newest_version(row)
    if request.method != "POST":
        initial = {"time_zone": row.time_zone, "expected": lineups.fingerprint(row)}
        states = editing.stored(newest.layers if newest else [])
        return _editor(request, row, states, LineUpForm(initial=initial, zone=row.time_zone))
    states, deed = editing.sent(request.POST), request.POST.get("do", "")
    form = LineUpForm(request.POST, zone=row.time_zone)
    if deed != "save":
        editing.act(states, deed, request.POST, _wall_now(row.time_zone))
        return _editor(request, row, states, form, preview=_preview(row, states, form, request))
    try:
        change = _changed(row, states, form, request, is_dry_run=False)
    except StaleVersion:
        return _conflict(request, row, states)
    except (DomainError, ValidationError) as error:
        preview = {"problem": message_of(error)}
        return _editor(request, row, states, form, preview=preview, status=400)
    say(request, _("The layers are saved; those whose shifts move are told.") if change else _("Nothing has changed."))
    return HttpResponseRedirect(reverse("console:schedule", args=[pk]))


def _conflict(request: HttpRequest, row: Schedule, states: list[LayerState]) -> HttpResponse:
    """Show what was typed beside who changed it meanwhile; saving again puts it over theirs."""
    data = request.POST.copy()
    data["expected"] = lineups.fingerprint(row)
    form = LineUpForm(data, zone=row.time_zone)
    newest = lineups.newest_version(row)
    preview = {**_preview(row, states, form, request), "conflict": newest}
    return _editor(request, row, states, form, preview=preview, status=409)


@page(roles=ADMINS)
def preview_layers(request: HttpRequest, pk: int) -> HttpResponse:
    """Show whose shifts the edited layers would move, and store nothing."""
    row = get_object_or_404(Schedule, pk=pk)
    form = LineUpForm(request.POST, zone=row.time_zone)
    preview = _preview(row, editing.sent(request.POST), form, request)
    return show(request, "console/oncall/_preview.html", {"preview": preview, "schedule": row})


def _preview(row: Schedule, states: list[LayerState], form: LineUpForm, request: HttpRequest) -> dict[str, Any]:
    try:
        change = _changed(row, states, form, request, is_dry_run=True)
    except (DomainError, ValidationError) as error:
        return {"problem": message_of(error)}
    if change is None:
        return {"is_unchanged": True}
    zone_name = form.cleaned_data["time_zone"] or row.time_zone
    zone, now = zone_named(zone_name), timezone.now()
    first = wall_of(change.effective_from, zone).date()
    first -= DAY * first.weekday()
    start = dt.datetime.combine(first, dt.time.min, zone)
    end = start + DAY * 7 * WEEKS_SHOWN
    spec = lineups.planned_spec(row, change, time_zone=zone_name, start=start, end=end)
    found = oncall.rendered(spec, start, end, MOST)
    moves = change.difference[:MOST_MOVES]
    people = {user for one in moves for user in (*one.was, *one.will_be)} | {one.user_id for one in found.shifts}
    names = names_of(people)
    line = Line(_("On call"), found.shifts, found.gaps)
    return {
        "change": change,
        "zone": zone_name,
        "pictures": [draw(first + DAY * 7 * week, 7, zone, [line], names, now) for week in range(WEEKS_SHOWN)],
        "gaps": len(oncall.rendered(spec, max(change.effective_from, now), end, MOST).gaps),
        "moves": [
            {
                "starts_at": one.starts_at,
                "ends_at": one.ends_at,
                "was": [names.get(user, "") for user in one.was],
                "will_be": [names.get(user, "") for user in one.will_be],
            }
            for one in moves
        ],
        "more": max(0, len(change.difference) - MOST_MOVES),
    }


def _changed(
    row: Schedule, states: list[LayerState], form: LineUpForm, request: HttpRequest, *, is_dry_run: bool
) -> lineups.LineUpChange | None:
    """Store the edited layers as the API's PATCH does, or only say what they would change."""
    if not form.is_valid():
        raise DomainError(" ".join(str(text) for texts in form.errors.values() for text in texts))
    given = form.cleaned_data
    data: dict[str, Any] = {"layers": [one.as_api() for one in states]}
    if given["time_zone"] != row.time_zone:
        data["time_zone"] = given["time_zone"]
    if given["effective_from"]:
        data["effective_from"] = given["effective_from"].isoformat()
    now = timezone.now()
    context = {"request": request, "now": now, "is_dry_run": is_dry_run, "tells_difference": True}
    if not is_dry_run:
        context["expected_line_up"] = given["expected"]
    fresh = Schedule.objects.prefetch_related("versions").get(pk=row.pk)
    serializer = ChangedScheduleSerializer(fresh, data=data, partial=True, context=context)
    serializer.is_valid(raise_exception=True)
    with acting(person(request)):
        unit_of_work(serializer.save)()
    return serializer.change


def _editor(
    request: HttpRequest,
    row: Schedule,
    states: list[LayerState],
    form: LineUpForm,
    *,
    preview: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    people = list(User.objects.can_respond().order_by("name", "pk").values_list("pk", "name"))
    gone = {user for one in states for turn in one.turns for user in turn} - {pk for pk, _name in people}
    members = set(row.team.memberships.values_list("user", flat=True)) if row.team else set()
    context = {
        "schedule": row,
        "form": form,
        "layers": states,
        "names": {**names_of(gone), **dict(people)},
        "members": [one for one in people if one[0] in members],
        "others": [one for one in people if one[0] not in members],
        "calendars": list(row.calendars.values_list("pk", "name")),
        "units": UNITS,
        "days": list(WEEKDAYS_ABBR.items()),
        "zones": sorted(zone_names()),
        "may_add_layer": len(states) < MOST_LAYERS,
        "preview": preview or {"is_unchanged": True},
        "now": timezone.now(),
    }
    with timezone.override(zone_named(row.time_zone)):
        return show(request, "console/oncall/layers.html", context, status=status)


def _wall_now(zone: str) -> str:
    return wall_of(timezone.now(), zone_named(zone)).isoformat()[:WALL]


class NewScheduleForm(forms.Form):
    """A team and its people: a weekly rotation; the rest can be changed afterwards."""

    team = forms.ModelChoiceField(queryset=Team.objects.active(), label=gettext_lazy("Team"))
    people = forms.TypedMultipleChoiceField(
        label=gettext_lazy("People, who take turns week by week"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one person.")},
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, required=False)
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"), widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"})
    )
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("They hand over on"), coerce=int, choices=list(enumerate(DAY_NAMES)), initial=0
    )
    time = forms.TimeField(
        label=pgettext_lazy("time of day", "at"),
        initial="09:00",
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    with_policy = forms.BooleanField(
        label=gettext_lazy("Page them for the team's incidents"),
        required=False,
        help_text=gettext_lazy(
            "Adds an escalation policy: who is on call at once, who is next after 10 minutes, then the whole team."
        ),
    )

    def __init__(self, *args: Any, team: Team | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.can_respond().order_by("name", "pk")
        members = people.filter(memberships__team=team) if team else people.none()
        chosen = list(members.values_list("pk", "name")) or list(people.values_list("pk", "name"))
        self.fields["people"].choices = chosen  # type: ignore[attr-defined]


@page(roles=ADMINS)
def new_schedule(request: HttpRequest) -> HttpResponse:
    viewer = person(request)
    wanted = request.POST.get("team") or request.GET.get("team") or ""
    teams = Team.objects.active().order_by("name")
    team = teams.filter(pk=wanted).first() if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else None
    has_policy = team is not None and (team.escalation_policy_id or team.own_policies.filter(is_active=True).exists())
    initial = {"team": team, "name": team.name if team else "", "time_zone": viewer.time_zone}
    initial["with_policy"] = not has_policy
    form = NewScheduleForm(request.POST or None, team=team, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = _make(request, form.cleaned_data)
        except (DomainError, ValidationError) as error:
            form.add_error(None, message_of(error))
        else:
            say(request, _("The schedule is in force. Look at the coming weeks, and change what you like."))
            return HttpResponseRedirect(reverse("console:schedule", args=[made.pk]))
    context = {"form": form, "team": team, "teams": teams, "has_policy": has_policy, "zones": sorted(zone_names())}
    return show(request, "console/oncall/new.html", context, status=400 if form.errors else 200)


@unit_of_work
def _make(request: HttpRequest, given: dict[str, Any]) -> Schedule:
    """Create the schedule, and a policy that pages it."""
    team = given["team"]
    name = given["name"] or team.name
    layer = {
        "name": _("Weekly"),
        "users": [[user] for user in given["people"]],
        "rotation": {"unit": "weeks", "every": 1},
        "starts_at": timezone.now().replace(second=0, microsecond=0).isoformat(),
        "hand_over": {"time": f"{given['time']:%H:%M}", "weekday": given["weekday"]},
    }
    data = {"name": name, "team": team.pk, "time_zone": given["time_zone"], "layers": [layer]}
    context = {"request": request, "now": timezone.now(), "is_dry_run": False}
    serializer = ScheduleSerializer(data=data, context=context)
    serializer.is_valid(raise_exception=True)
    made: Schedule = serializer.save()
    if given["with_policy"]:
        _make_policy(request, team, made)
    return made


def _make_policy(request: HttpRequest, team: Team, schedule: Schedule) -> None:
    on_call = {"kind": "schedule", "id": schedule.pk}
    taken = EscalationPolicy.objects.filter(name__iexact=schedule.name).exists()
    data = {
        "name": _("%(name)s escalation") % {"name": schedule.name} if taken else schedule.name,
        "team": team.pk,
        "repeat": 1,
        "steps": [
            {"targets": [on_call]},
            {"delay_minutes": NEXT_AFTER, "strategy": "next", "targets": [on_call]},
            {"delay_minutes": NEXT_AFTER, "targets": [{"kind": "team", "id": team.pk}]},
        ],
    }
    serializer = EscalationPolicySerializer(data=data, context={"request": request})
    serializer.is_valid(raise_exception=True)
    with acting(person(request)):
        serializer.save()


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to type checkers only
    class Meta:
        model = Schedule
        fields = ("name", "description", "team", "holidays", "announces_gaps", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True  # only what was edited is written


@page(roles=ADMINS)
def schedule_settings(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Schedule, pk=pk)
    form = SettingsForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        with acting(person(request)):
            form.instance.save(update_fields=form.changed_data)
        say(request, _("Saved."))
        return HttpResponseRedirect(reverse("console:schedule", args=[pk]))
    fresh = Schedule.objects.get(pk=pk)
    context = {"form": form, "schedule": fresh}
    return show(request, "console/oncall/settings.html", context, status=400 if form.errors else 200)


urlpatterns = [
    path("on-call/new/", new_schedule, name="on-call-new"),
    path("on-call/<int:pk>/layers/", layers, name="layers"),
    path("on-call/<int:pk>/layers/preview/", require_POST(preview_layers), name="layers-preview"),
    path("on-call/<int:pk>/settings/", schedule_settings, name="schedule-settings"),
]
