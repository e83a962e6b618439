"""Escalation policies as sentences."""

from collections import Counter
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError

from console.oncall import steps as editing
from console.oncall.forms import MomentField, ZonedForm
from console.oncall.steps import StepState
from console.pages import ADMINS, RESPONDERS, page, person, say, show
from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import DomainError, StaleVersion
from core.severity import SEVERITY_OF_WORD, Severity
from incidents.models import Incident
from paging.models import EscalationRun
from paging.services.choosing import freeze
from paging.services.simulating import pages_now, simulate_policy
from responders.models import EscalationPolicy, Schedule, Team
from responders.policies import ALARM, ALL, NEXT, ROUND_ROBIN, SKIP, policy_of, sentences_of
from responders.serializers.policies import EscalationPolicySerializer
from responders.validation import zone_names

SEVERITIES = (
    ("critical", gettext_lazy("Critical")),
    ("high", gettext_lazy("High")),
    ("medium", gettext_lazy("Medium")),
    ("low", gettext_lazy("Low")),
)
STRATEGIES = (
    (ALL, gettext_lazy("everybody")),
    (ROUND_ROBIN, gettext_lazy("one person, in turn")),
    (NEXT, gettext_lazy("who is on call next")),
)
MOST_RUNNING = 10


class SimulateForm(ZonedForm):
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), choices=SEVERITIES)
    at = MomentField(label=gettext_lazy("Opened at"), required=False, help_text=gettext_lazy("Empty: now."))


class PolicyForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    team = forms.ModelChoiceField(
        label=gettext_lazy("Runs for the incidents of"),
        queryset=Team.objects.order_by("name"),
        required=False,
        empty_label=gettext_lazy("no team by itself"),
        help_text=gettext_lazy("Unless their service or the team names another policy."),
    )
    repeat = forms.CharField(label=gettext_lazy("Repeat the steps so often"), initial="0", widget=forms.NumberInput)
    wait_minutes = forms.CharField(
        label=gettext_lazy("Minutes to wait after the last step"),
        required=False,
        widget=forms.NumberInput,
        help_text=gettext_lazy("Empty: the longest delay among the steps."),
    )
    reack_minutes = forms.CharField(
        label=gettext_lazy("Page again after so many minutes without work on an acknowledged incident"),
        required=False,
        widget=forms.NumberInput,
        help_text=gettext_lazy("Empty: never."),
    )
    is_default = forms.BooleanField(label=gettext_lazy("Runs where no service or team has a policy"), required=False)
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)
    expected = forms.CharField(widget=forms.HiddenInput, required=False)


@page(roles=RESPONDERS)
def policies(request: HttpRequest) -> HttpResponse:
    rows = list(EscalationPolicy.objects.select_related("team").prefetch_related("teams", "services").order_by("name"))
    frozen = {number: policy_of(values) for number, values in freeze(rows).items()}
    now = timezone.now()
    paged = pages_now([row for row in rows if row.is_active], now, Severity.CRITICAL)
    running = Counter(_running(request).values_list("policy_id", flat=True))
    shown = [
        {
            "policy": row,
            "said": sentences_of(frozen[row.pk]),
            "now": paged.get(row.pk, []),
            "users": _users(row),
            "running": running[row.pk],
        }
        for row in rows
    ]
    return show(request, "console/policies/list.html", {"policies": shown})


@page(roles=RESPONDERS)
def policy(request: HttpRequest, pk: int) -> HttpResponse:
    rows = EscalationPolicy.objects.select_related("team").prefetch_related("teams", "services")
    row = get_object_or_404(rows, pk=pk)
    zone, now = person(request).time_zone, timezone.now()
    form = SimulateForm(request.GET if "severity" in request.GET else None, zone=zone, initial={"severity": "critical"})
    simulated = None
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        simulated = simulate_policy(row, severity=SEVERITY_OF_WORD[given["severity"]], at=given["at"] or now)
    right_now = simulate_policy(row, severity=Severity.CRITICAL, at=now)
    empty = {one["step"] for one in right_now["skipped"]}
    said = sentences_of(policy_of(freeze([row])[row.pk]))
    runs = _running(request).filter(policy=row).order_by("-pk")
    context = {
        "policy": row,
        "sentences": [(text, number in empty) for number, text in enumerate(said.steps, 1)],
        "ending": said.ending,
        "now_paged": pages_now([row], now, Severity.CRITICAL)[row.pk],
        "users": _users(row),
        "form": form,
        "simulated": simulated,
        "running": [run.incident_id for run in runs[:MOST_RUNNING]],
        "schedules": Schedule.objects.filter(pk__in=row.targets.filter(kind="schedule").values("target_id")),
    }
    return show(request, "console/policies/detail.html", context, status=400 if form.errors else 200)


def _running(request: HttpRequest) -> Any:
    """Return escalations under way, of incidents that the viewer may see."""
    visible = Incident.objects.visible_to(person(request))
    return EscalationRun.objects.current().filter(next_step_at__isnull=False, incident__in=visible)


def _users(row: EscalationPolicy) -> list[str]:
    """Return what the policy runs for."""
    teams = sorted({team.name for team in row.teams.all()} | ({row.team.name} if row.team else set()))
    found = [_("team %(name)s") % {"name": name} for name in teams]
    found += [_("service %(name)s") % {"name": service.name} for service in row.services.all()]
    return [*found, *([_("everything without a policy")] if row.is_default else [])]


@page(roles=ADMINS)
def edit_policy(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = get_object_or_404(EscalationPolicy, pk=pk) if pk is not None else None
    if request.method != "POST":
        return _editor(request, row, _initial_form(row), *_initial_steps(request, row))
    form, steps = PolicyForm(request.POST), editing.sent(request.POST)
    last, deed = editing.words(request.POST.getlist("last")), request.POST.get("do", "")
    if deed != "save":
        editing.act(steps, last, deed, request.POST)
        return _editor(request, row, form, steps, last)
    if not form.is_valid():
        return _editor(request, row, form, steps, last, status=400)
    try:
        saved = _save(request, row, form.cleaned_data, steps, last)
    except StaleVersion as error:
        data = request.POST.copy()
        data["expected"] = editing.fingerprint(EscalationPolicy.objects.get(pk=pk))
        return _editor(request, row, PolicyForm(data), steps, last, problems=[error.message], status=409)
    except DomainError as error:
        return _editor(request, row, form, steps, last, problems=[error.message], status=error.status)
    except ValidationError as error:
        found = list(editing.error_sentences(error.detail))
        return _editor(request, row, form, steps, last, problems=found, status=400)
    say(request, _("The policy is saved. Escalations that run go on with the steps as they were."))
    return HttpResponseRedirect(reverse("console:policy", args=[saved.pk]))


@unit_of_work
def _save(
    request: HttpRequest, row: EscalationPolicy | None, given: dict[str, Any], steps: list[StepState], last: list[str]
) -> EscalationPolicy:
    if row is not None:
        row = EscalationPolicy.objects.select_for_update().get(pk=row.pk)
        if given["expected"] != editing.fingerprint(row):
            raise StaleVersion(
                _("Somebody else changed this policy in the meantime. Below is what you typed; save again to keep it.")
            )
    data = {name: given[name] for name in ("name", "description", "is_default", "is_active")}
    data |= {name: given[name] or None for name in ("wait_minutes", "reack_minutes")}
    data |= {"repeat": given["repeat"] or 0, "team": given["team"].pk if given["team"] else None}
    data |= {"steps": [one.as_api() for one in steps], "on_exhausted": [editing.target(word) for word in last]}
    serializer = EscalationPolicySerializer(row, data=data, context={"request": request})
    serializer.is_valid(raise_exception=True)
    with acting(person(request)):
        saved: EscalationPolicy = serializer.save()
    return saved


def _initial_form(row: EscalationPolicy | None) -> PolicyForm:
    if row is None:
        return PolicyForm()
    names = ("name", "description", "team", "repeat", "wait_minutes", "reack_minutes", "is_default", "is_active")
    initial = {name: getattr(row, name) for name in names}
    return PolicyForm(initial={**initial, "expected": editing.fingerprint(row)})


def _initial_steps(request: HttpRequest, row: EscalationPolicy | None) -> tuple[list[StepState], list[str]]:
    if row is not None:
        return editing.stored(row.steps), [editing.word_of(one) for one in row.on_exhausted]
    schedule = request.GET.get("schedule", "")
    targets = [f"schedule:{schedule}"] if schedule.isascii() and schedule.isdigit() and len(schedule) < 19 else []
    return [StepState("n0", targets=targets)], []


def _editor(
    request: HttpRequest,
    row: EscalationPolicy | None,
    form: PolicyForm,
    steps: list[StepState],
    last: list[str],
    *,
    problems: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    choices = editing.choices()
    kinds = {word: label for label, some in choices for word, _name in some}
    names = {word: name for _label, some in choices for word, name in some}
    names |= editing.known_words(row) if row else {}
    context = {
        "policy": row,
        "form": form,
        "steps": [(one, one.sentence(names, is_first=place == 0)) for place, one in enumerate(steps)],
        "last": last,
        "choices": choices,
        "names": names,
        "kinds": kinds,
        "problems": problems or [],
        "strategies": STRATEGIES,
        "severities": SEVERITIES,
        "days": list(WEEKDAYS_ABBR.items()),
        "zones": sorted(zone_names()),
        "skip": SKIP,
        "alarm": ALARM,
    }
    return show(request, "console/policies/edit.html", context, status=status)


urlpatterns = [
    path("policies/", policies, name="policies"),
    path("policies/new/", edit_policy, name="policy-new"),
    path("policies/<int:pk>/", policy, name="policy"),
    path("policies/<int:pk>/edit/", edit_policy, name="policy-edit"),
]
