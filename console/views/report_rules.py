"""Rules for reports in their order, and where a report would go."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from console.configuration import store
from console.forms.report_rules import ReportRuleForm, TrialForm, initial_of
from console.pages import ADMINS, is_fragment, page, person, say, show
from console.views.routes import moved
from core.db.deleting import delete_configuration
from core.errors import NotFound
from incidents.models import ReportRule
from incidents.rules import Judged, Miss
from incidents.serializers.configuration import ReportRuleSerializer, RuleOrderSerializer
from incidents.services.report_rules import Prospect, reorder_rules, try_report
from responders.models import Team

MOST_SHOWN = 1000  # on one page, for dragging anywhere
REASONS = {
    Miss.CATEGORY: gettext_lazy("Another category."),
    Miss.SERVICE: gettext_lazy("Another service."),
    Miss.LOCATION: gettext_lazy("The place does not contain the text."),
    Miss.WORDS: gettext_lazy("None of the words."),
    Miss.SERVICE_HAS_TEAM: gettext_lazy(
        "It matches, but the affected service has a team, and the rule does not name it."
    ),
    Miss.CATEGORY_HAS_TEAM: gettext_lazy("It matches, but the category has a team, and the rule does not name it."),
    Miss.RESTRICTED: gettext_lazy("It matches, but the report is confidential."),
}
BECAUSE = {
    "rule": gettext_lazy("A rule says so."),
    "service": gettext_lazy("It is the team of the affected service."),
    "category": gettext_lazy("It is the team of the category."),
    "default": gettext_lazy("It is the default team."),
}


@page(roles=ADMINS)
def report_rules(request: HttpRequest) -> HttpResponse:
    trial = TrialForm(request.GET if "title" in request.GET else None, auto_id="try_%s")
    prospect = try_report(trial.report()) if trial.is_valid() else None
    context = {
        "rules": list(ReportRule.objects.select_related("team", "service", "category")[:MOST_SHOWN]),
        "trial": trial,
        "prospect": prospect,
        "because": BECAUSE[prospect.because] if prospect else "",
        "judged": [_judged(one, prospect) for one in prospect.judged] if prospect else [],
        "lacks_default_team": not Team.objects.active().filter(is_default=True).exists(),
    }
    return show(request, "console/report_rules/list.html", context)


def _judged(one: Judged, prospect: Prospect) -> dict[str, Any]:
    gives = prospect.decision
    reason = one.miss or one.outranked
    return {
        "rule": one.rule,
        "reason": REASONS[reason] if reason else "",
        "gives_team": gives.team == one.rule,
        "gives_severity": gives.severity == one.rule,
    }


@page(roles=ADMINS)
def new_rule(request: HttpRequest) -> HttpResponse:
    form = ReportRuleForm(request.POST or None)
    if form.is_valid() and store(form, ReportRuleSerializer, form.as_api(), by=person(request)):
        say(request, _("The rule stands last. Move it up if it must decide before others."))
        return redirect("console:report-rules")
    return _show_form(request, form, _("New rule for reports"))


@page(roles=ADMINS)
def edit_rule(request: HttpRequest, pk: int) -> HttpResponse:
    rule = _rule(pk)
    form = ReportRuleForm(request.POST or None, initial=initial_of(rule))
    if form.is_valid() and store(form, ReportRuleSerializer, form.as_api(), by=person(request), instance=rule):
        say(request, _("Saved."))
        return redirect("console:report-rules")
    return _show_form(request, form, _("Edit the rule"), rule)


@page(roles=ADMINS)
@require_POST
def delete_rule(request: HttpRequest, pk: int) -> HttpResponse:
    rule = _rule(pk)
    delete_configuration(rule, by=person(request))
    say(request, _("The rule %(name)s is deleted.") % {"name": rule.name})
    return redirect("console:report-rules")


@page(roles=ADMINS)
@require_POST
def order(request: HttpRequest) -> HttpResponse:
    """Put the rules in the order of `ids`, one of them moved `up` or `down`."""
    form = RuleOrderSerializer(data={"ids": request.POST.getlist("ids")})
    form.is_valid(raise_exception=True)
    reorder_rules(moved(form.validated_data["ids"], request.POST), by=person(request))
    if is_fragment(request):
        return HttpResponse(status=204)
    return redirect("console:report-rules")


def _rule(pk: int) -> ReportRule:
    found = ReportRule.objects.select_related("service", "category").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Rule %(id)s does not exist.") % {"id": pk})
    return found


def _show_form(request: HttpRequest, form: ReportRuleForm, title: str, rule: ReportRule | None = None) -> HttpResponse:
    context = {"form": form, "title": title, "rule": rule}
    return show(request, "console/report_rules/form.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("settings/report-rules/", report_rules, name="report-rules"),
    path("settings/report-rules/new/", new_rule, name="report-rule-new"),
    path("settings/report-rules/order/", order, name="report-rule-order"),
    path("settings/report-rules/<int:pk>/", edit_rule, name="report-rule"),
    path("settings/report-rules/<int:pk>/delete/", delete_rule, name="report-rule-delete"),
]
