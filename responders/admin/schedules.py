import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import formset_factory
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from unfold.admin import StackedInline
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from core.api.problems import problem_response
from core.backoffice.badges import ago
from core.backoffice.base import BackOfficeAdmin, ReadOnlyAdmin, RefusableForm, RetirableAdmin, attempt
from core.errors import DomainError
from core.text.moments import shown_in
from responders import oncall
from responders.admin.lineup_forms import LayerForm, LayerFormSet, initial_of
from responders.admin.picture import DAYS, drawn, lines_of
from responders.ical.reading import MAX_BYTES
from responders.lineups import typed_instant, zone_of
from responders.models import Schedule, ScheduleOverride, ShiftSwap
from responders.oncall.walltime import wall_of
from responders.serializers.lineups import YEARS
from responders.serializers.schedules import ChangedScheduleSerializer
from responders.services import covering, importing, lineups, swapping
from responders.services.oncall import HORIZON, load, names_of, on_call_and_next
from users.admin.people import zone_choices
from users.models import User

MOST_LAYERS, MOST_GAPS, MOST_MOVES = 30, 8, 40


class ScheduleForm(RefusableForm):
    class Meta:
        model = Schedule
        fields = "__all__"

    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, initial="UTC", widget=UnfoldAdminSelect2Widget
    )


class PeopleField(forms.ModelMultipleChoiceField):
    """People, kept as a list of ids."""

    widget = UnfoldAdminSelectMultipleWidget

    def prepare_value(self, value: Any) -> Any:
        return list(value) if isinstance(value, (list, tuple)) else super().prepare_value(value)

    def clean(self, value: Any) -> Any:
        return sorted(user.pk for user in super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return {str(one) for one in initial or ()} != {str(one) for one in data or ()}


class OverrideForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to type checkers only
    add = PeopleField(queryset=User.objects.can_respond(), required=False, label=_("On call"))
    remove = PeopleField(queryset=User.objects.active(), required=False, label=_("Off call"))

    class Meta:
        model = ScheduleOverride
        fields = ("starts_at", "ends_at", "layer", "add", "remove", "is_everybody", "comment")


class OverrideInline(StackedInline):  # type: ignore[misc]  # unfold is untyped
    """Overrides that run or are to come."""

    model = ScheduleOverride
    form = OverrideForm
    fields = ("starts_at", "ends_at", ("add", "remove"), ("layer", "is_everybody"), "comment")
    extra = 0
    hide_title = True
    verbose_name_plural = _("overrides, running and to come")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(ends_at__gt=timezone.now()).order_by("starts_at")


class CalendarForm(forms.Form):
    """An address or a file."""

    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget)
    url = forms.CharField(
        required=False,
        max_length=2000,
        label=_("Address"),
        widget=UnfoldAdminTextInputWidget,
        help_text=_("https://… or webcal://…, fetched every 15 minutes; it is shown to nobody."),
    )
    file = forms.FileField(required=False, widget=UnfoldAdminFileFieldWidget, help_text=_("Or upload a file once."))


@admin.register(Schedule)
class ScheduleAdmin(RetirableAdmin, BackOfficeAdmin):
    """Schedules, with a picture of the next 14 days; the line-up has a page of its own."""

    form = ScheduleForm
    ordering = ("name",)
    list_display = ("name", "team", "on_call_now", "time_zone", "state")
    list_select_related = ("team",)
    search_fields = ("name__icontains",)
    sortable_by = ("name",)
    autocomplete_fields = ("team",)
    fields = ("name", "description", "team", "time_zone", "holidays", "announces_gaps", "is_active")
    inlines = (OverrideInline,)
    change_form_outer_before_template = "admin/responders/schedule_panel.html"

    def get_inlines(self, request: HttpRequest, obj: Schedule | None) -> Any:
        return self.inlines if obj is not None else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Schedule | None = None) -> Any:
        return ("time_zone",) if obj is not None else ()

    @admin.display(description=_("On call now"))
    def on_call_now(self, schedule: Schedule) -> str:
        now, _following = on_call_and_next([schedule.pk], timezone.now())[schedule.pk]
        return ", ".join(person.name for person in now.people) or gettext("nobody")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        fields = {name: form.cleaned_data[name] for name in self.fields}
        made = lineups.create_schedule(**fields, now=timezone.now(), by=request.user)  # type: ignore[arg-type]
        obj.pk = made.pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Write overrides by the services, which keep the past."""
        by: Any = request.user
        formset.save(commit=False)
        for row in formset.deleted_objects:
            covering.remove_override(row, by=by, now=timezone.now())
        for row, changed in formset.changed_objects:
            fields = {name: getattr(row, name) for name in changed}
            covering.edit_override(ScheduleOverride.objects.get(pk=row.pk), by=by, now=timezone.now(), fields=fields)
        for row in formset.new_objects:
            fields = {name: getattr(row, name) for name in OverrideForm.Meta.fields}
            covering.add_override(form.instance, **fields, by=by, now=timezone.now())

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("obj") is not None:
            context |= panel_of(kwargs["obj"], request.GET.get("at", ""))
            context["may_change"] = self.has_change_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/line-up/", view(self.line_up_view), name="responders_schedule_line_up"),
            path("<int:pk>/calendar/", view(self.calendar_view), name="responders_schedule_calendar"),
            *super().get_urls(),
        ]

    def line_up_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change the layers: first show whose shifts move, then save."""
        schedule = self._changeable(request, pk)
        newest = lineups.newest_version(schedule)
        layers = newest.layers if newest else []
        names = names_of(user for layer in layers for turn in layer["users"] for user in turn)
        formset_class = formset_factory(
            LayerForm,
            formset=LayerFormSet,
            extra=1,
            can_delete=True,
            can_order=True,
            max_num=MOST_LAYERS,
        )
        formset = formset_class(
            request.POST or None,
            initial=[initial_of(layer, names) for layer in layers],
            form_kwargs={"calendars": list(schedule.calendars.values_list("pk", "name"))},
        )
        context: dict[str, Any] = {"formset": formset, "effective_from": request.POST.get("effective_from", "")}
        if request.method == "POST" and formset.is_valid():
            is_dry_run = "save" not in request.POST
            try:
                context["change"] = self._changed(request, schedule, formset.layers(), is_dry_run)
            except (DomainError, ValidationError) as error:
                context["problem"] = sentence_of(error)
            else:
                if not is_dry_run:
                    self.message_user(request, _("The new line-up is saved; those whose shifts move are told."))
                    return HttpResponseRedirect(self._page(schedule))
        return self._answer(
            request,
            schedule,
            "admin/responders/line_up.html",
            gettext("Line-up of %(schedule)s") % {"schedule": schedule},
            context,
        )

    @transaction.atomic
    def _changed(self, request: HttpRequest, schedule: Schedule, layers: list[Any], is_dry_run: bool) -> Any:
        data = {"layers": layers}
        if given := request.POST.get("effective_from", "").strip():
            data["effective_from"] = given  # type: ignore[assignment]
        serializer = ChangedScheduleSerializer(
            schedule,
            data=data,
            partial=True,
            context={"request": request, "now": timezone.now(), "is_dry_run": is_dry_run, "tells_difference": True},
        )
        serializer.is_valid(raise_exception=True)
        serializer.save()
        zone = zone_of(schedule.time_zone)
        shown = serializer.data
        moves = [
            {name: _local(one[name], zone) for name in ("from", "to")}
            | {
                name: ", ".join(person["name"] for person in one[name]) or gettext("nobody")
                for name in ("was", "will_be")
            }
            for one in shown["difference"]
        ]
        return {
            "from": _local(shown["effective_from"], zone),
            "moves": moves[:MOST_MOVES],
            "more": max(0, len(moves) - MOST_MOVES),
        }

    def calendar_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add a calendar that a layer can be read from."""
        schedule = self._changeable(request, pk)
        form = CalendarForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            given, file, now = form.cleaned_data, form.cleaned_data["file"], timezone.now()
            content = file.read(MAX_BYTES + 1) if file else b""
            try:
                copy = importing.read_copy(schedule, now, url=given["url"], content=content)
                importing.add_calendar(schedule, copy, name=given["name"], by=request.user, now=now)  # type: ignore[arg-type]
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, error.message)
            else:
                messages.success(request, _("The calendar was read. Choose it for a layer of the line-up."))
                return HttpResponseRedirect(self._page(schedule))
        context = {"form": form, "submit": _("Read calendar"), "is_multipart": True}
        return self._answer(
            request,
            schedule,
            "admin/responders/calendar.html",
            gettext("Add a calendar to %(schedule)s") % {"schedule": schedule},
            context,
        )

    def _changeable(self, request: HttpRequest, pk: int) -> Schedule:
        schedule: Schedule | None = self.get_object(request, str(pk))
        if not self.has_change_permission(request, schedule):
            raise PermissionDenied
        if schedule is None:
            raise Http404
        return schedule

    def _page(self, schedule: Schedule) -> str:
        return reverse("admin:responders_schedule_change", args=[schedule.pk])

    def _answer(
        self, request: HttpRequest, schedule: Schedule, template: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        base = {**self.admin_site.each_context(request), "opts": self.opts, "original": schedule}
        return TemplateResponse(request, template, {**base, "title": title, "back": self._page(schedule), **context})


def panel_of(schedule: Schedule, asked: str) -> dict[str, Any]:
    """Return what the page shows above the form."""
    now = timezone.now()
    zone = zone_of(schedule.time_zone)
    problem, at = "", now
    moment = _moment_of(asked)
    if asked and moment is None:
        problem = gettext("%(asked)s is not a time.") % {"asked": asked[:40]}
    elif moment is not None:
        try:
            at = typed_instant(moment, schedule.time_zone, "at")
        except DomainError as error:
            problem = error.message
    present, following = on_call_and_next([schedule.pk], at)[schedule.pk]
    start = now.replace(minute=0, second=0, microsecond=0)
    spec = load([schedule.pk], start, now + HORIZON)[schedule.pk].spec
    end = start + dt.timedelta(days=DAYS)
    lines = lines_of(spec, start, end)
    names = names_of({shift.user_id for line in lines for shift in line.shifts})
    title = gettext("On call for %(schedule)s, %(days)d days from %(start)s") % {
        "schedule": schedule.name,
        "days": DAYS,
        "start": shown_in(start, zone, "full"),
    }
    gaps = oncall.gaps(spec, now, now + dt.timedelta(days=28))
    return {
        "picture": drawn(lines, start, end, zone, names, title),
        "at": wall_of(at, zone).strftime("%Y-%m-%dT%H:%M"),
        "at_problem": problem,
        "present": present,
        "following": following,
        "following_at": following.at and shown_in(following.at, zone, "usual"),
        "gaps": [
            (_local(gap.starts_at, zone), _local(gap.ends_at, zone), ", ".join(gap.unmatched))
            for gap in gaps[:MOST_GAPS]
        ],
        "more_gaps": max(0, len(gaps) - MOST_GAPS),
        "planned": [_local(one.effective_from, zone) for one in schedule.versions.filter(effective_from__gt=now)],
        "calendars": [
            (one.name, ago(one.fetched_at), one.error, ", ".join(one.unmatched)) for one in schedule.calendars.all()
        ],
        "line_up_url": reverse("admin:responders_schedule_line_up", args=[schedule.pk]),
        "calendar_url": reverse("admin:responders_schedule_calendar", args=[schedule.pk]),
    }


def sentence_of(error: Exception) -> str:
    """Return an error of the API as a sentence."""
    answer = problem_response(error, {}) if not isinstance(error, DomainError) else None
    return error.message if isinstance(error, DomainError) else str(answer.data["detail"]) if answer else str(error)


def _moment_of(text: str) -> dt.datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.year in YEARS else None


def _local(moment: Any, zone: Any) -> str:
    moment = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return shown_in(moment, zone, "full") if moment else ""


@admin.register(ShiftSwap)
class ShiftSwapAdmin(ReadOnlyAdmin):
    """Shift swaps; whoever may, takes and approves."""

    ordering = ("-id",)
    list_display = ("schedule", "requester", "starts_at", "ends_at", "state", "taker")
    list_select_related = ("schedule", "requester", "taker")
    fields = (*list_display, "comment", "approved_by", "created_at")
    actions = ("take", "approve")

    @action(description=_("Take the selected shifts"))
    def take(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, swapping.take, _("%(swap)s is taken."))

    @action(description=_("Approve the selected swaps"))
    def approve(self, request: HttpRequest, queryset: Any) -> None:
        self._each(request, queryset, swapping.approve, _("%(swap)s is approved."))

    def _each(self, request: HttpRequest, queryset: Any, service: Any, done: Promise) -> None:
        for swap in queryset:
            attempt(
                request,
                lambda swap=swap: service(swap, by=request.user, now=timezone.now()),
                done=str(done) % {"swap": swap},
            )
