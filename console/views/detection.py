"""Detection rules, and what they would have raised."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console import charts
from console.charts.values import Chart, Column, Series
from console.configuration import refusals_on, store
from console.forms.detection import RuleForm, initial_for, initial_from, initial_of
from console.lists import keyset_page, links_of
from console.pages import ADMINS, RESPONDERS, page, person, say, show
from core.actor import acting
from core.errors import NotFound, PermissionRefused
from core.text.moments import shown
from logs.models import DetectionRule, LogEntry
from logs.serializers.rules import DetectionRuleSerializer, UnsavedRuleSerializer
from logs.services.backtesting import Backtest, Raised, backtest, check_may_try
from logs.services.rules import delete_rule, templates
from logs.sources.outside import stores
from logs.templates import WILD, masked

COLUMNS = 48
LONGEST_PHRASE = 80
UNTRIED = ("is_enabled",)
MAX_ID = 2**63 - 1


@page(roles=RESPONDERS)
def rules(request: HttpRequest) -> HttpResponse:
    pages = keyset_page(request, DetectionRule.objects.all(), by="name")
    context = {"rules": pages.rows, "pages": links_of(pages), "may_write": person(request).is_admin}
    return show(request, "console/detection/list.html", context)


@page(roles=RESPONDERS)
def new_rule(request: HttpRequest) -> HttpResponse:
    form = RuleForm(request.POST or None, initial=_initial(request))
    return _answer(request, form)


@page(roles=RESPONDERS)
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    found = _rule(pk)
    form = RuleForm(request.POST or None, initial=initial_of(found))
    return _answer(request, form, found)


@page(roles=ADMINS)
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    found = _rule(pk)
    with acting(person(request)):
        delete_rule(found)
    say(request, _("The rule %(name)s is deleted, and its alerts are over.") % {"name": found.name})
    return redirect("console:detection-rules")


def _answer(request: HttpRequest, form: RuleForm, found: DetectionRule | None = None) -> HttpResponse:
    """Save the form, try it, or show it."""
    is_trial = "backtest" in request.POST
    result = None
    if form.is_valid() and is_trial:
        result = _tried(request, form, found)
    elif form.is_valid():
        if not person(request).is_admin:
            raise PermissionRefused(_("Only administrators can change rules. You can try them."))
        data = form.as_api()
        if store(form, DetectionRuleSerializer, data, by=person(request), instance=found) is not None:
            say(request, _("Saved."))
            return redirect("console:detection-rules")
    context = {
        "form": form,
        "rule": found,
        "stores": stores(),
        "templates": [one for one in templates() if not one["unusable_because"]] if found is None else [],
        "may_write": person(request).is_admin,
        "result": result,
        "chart": _chart(result) if result else None,
    }
    return show(request, "console/detection/form.html", context, status=422 if form.errors else 200)


def _tried(request: HttpRequest, form: RuleForm, found: DetectionRule | None) -> Backtest | None:
    until = timezone.now()
    since = until - dt.timedelta(hours=form.cleaned_data["hours"] or 24)
    with refusals_on(form):
        if found is not None and not {*form.changed_data}.difference(("hours", "seen", *UNTRIED)):
            return backtest(found, since, until)
        data = {name: value for name, value in form.as_api().items() if name not in UNTRIED}
        serializer = UnsavedRuleSerializer(data=data)
        serializer.is_valid(raise_exception=True)
        rule = serializer.rule()
        check_may_try(rule, person(request))
        return backtest(rule, since, until)
    return None


def _chart(result: Backtest) -> Chart:
    """Return how many alerts would have fired when, those that begin told apart."""
    step = (result.until - result.since) / COLUMNS
    columns = [
        _column(result.since + step * number, result.since + step * (number + 1), result.alerts)
        for number in range(COLUMNS)
    ]
    series = [Series("begun", _("Begins"), "high"), Series("lasting", _("Fires still"), "six")]
    return charts.stacked("backtest", _("Alerts it would have raised"), series, columns, unit=_("alerts"))


def _column(since: dt.datetime, until: dt.datetime, alerts: list[Raised]) -> Column:
    begun = sum(since <= one.starts_at < until for one in alerts)
    lasting = sum(one.starts_at < since and (one.ends_at is None or one.ends_at > since) for one in alerts)
    start, end = timezone.localtime(since), timezone.localtime(until)
    label = _("%(since)s to %(until)s") % {"since": shown(start, "short"), "until": shown(end, "short")}
    times = urlencode({"since": since.astimezone(dt.UTC).isoformat(), "until": until.astimezone(dt.UTC).isoformat()})
    return Column(label, f"{start:%H:%M}", {"begun": begun, "lasting": lasting}, f"{reverse('console:logs')}?{times}")


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Begin with a template or a line that the address names."""
    name = request.GET.get("template", "")
    for template in templates():
        if name == f"{template['store']}.{template['key']}":
            return initial_from(template)
    text = request.GET.get("line", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    line = LogEntry.objects.filter(pk=number).order_by().values("level", "service", "message").first()
    return initial_for(dict(line), phrase_of(line["message"])) if line else {}


def phrase_of(message: str) -> str:
    """Return the longest part of a message that does not vary."""
    parts = [part.strip(" \"'\\:,;=[](){}") for part in masked(message).split(WILD)]
    return max(parts, key=len, default="")[:LONGEST_PHRASE].replace('"', " ").rstrip("\\").strip()


def _rule(pk: int) -> DetectionRule:
    found = DetectionRule.objects.select_related("source").filter(pk=pk).first() if pk <= MAX_ID else None
    if found is None:
        raise NotFound(_("Detection rule %(id)s does not exist.") % {"id": pk})
    return found


urlpatterns = [
    path("detection-rules/", rules, name="detection-rules"),
    path("detection-rules/new/", new_rule, name="detection-rule-new"),
    path("detection-rules/<int:pk>/", rule, name="detection-rule"),
    path("detection-rules/<int:pk>/delete/", delete, name="detection-rule-delete"),
]
