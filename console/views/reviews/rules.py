"""Rules that require reviews."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from console.configuration import store, write
from console.forms.reviews import ReviewRuleForm
from console.pages import ADMINS, page, person, say, show
from core.db.deleting import delete_configuration
from core.errors import NotFound
from core.severity import Severity
from reviews.models import ReviewRule
from reviews.serializers.rules import ReviewRuleSerializer

MOST_SHOWN = 500
STORED = ("name", "within_days", "is_enabled")


@page(roles=ADMINS)
def review_rules(request: HttpRequest) -> HttpResponse:
    rules = ReviewRule.objects.select_related("team").order_by("-min_severity", "within_days", "id")
    return show(request, "console/review_rules/list.html", {"rules": list(rules[:MOST_SHOWN])})


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def new_rule(request: HttpRequest) -> HttpResponse:
    form = ReviewRuleForm(request.POST or None)
    if form.is_valid() and store(form, ReviewRuleSerializer, form.as_api(), by=person(request)):
        say(request, _("The rule holds for incidents that are resolved from now on."))
        return redirect("console:review-rules")
    return _show_form(request, form, _("New review rule"))


@page(roles=ADMINS)
@require_http_methods(["GET", "POST"])
def edit_rule(request: HttpRequest, pk: int) -> HttpResponse:
    rule = _rule(pk)
    initial = {
        **{name: getattr(rule, name) for name in STORED},
        "min_severity": Severity(rule.min_severity).word,
        "team": rule.team_id or "",
    }
    form = ReviewRuleForm(request.POST or None, initial=initial)
    if form.is_valid() and store(form, ReviewRuleSerializer, form.as_api(), by=person(request), instance=rule):
        say(request, _("Saved."))
        return redirect("console:review-rules")
    return _show_form(request, form, _("Edit the rule"), rule)


@page(roles=ADMINS)
@require_POST
def switch_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Enable or disable a rule."""
    is_enabled = request.POST.get("is_enabled") == "true"
    write(ReviewRuleSerializer, {"is_enabled": is_enabled}, by=person(request), instance=_rule(pk))
    say(request, _("The rule is enabled.") if is_enabled else _("The rule is disabled."))
    return redirect("console:review-rules")


@page(roles=ADMINS)
@require_POST
def delete_rule(request: HttpRequest, pk: int) -> HttpResponse:
    rule = _rule(pk)
    delete_configuration(rule, by=person(request))
    say(request, _("The rule %(name)s is deleted.") % {"name": rule.name})
    return redirect("console:review-rules")


def _rule(pk: int) -> ReviewRule:
    found = ReviewRule.objects.select_related("team").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("Rule %(id)s does not exist.") % {"id": pk})
    return found


def _show_form(request: HttpRequest, form: ReviewRuleForm, title: str, rule: ReviewRule | None = None) -> HttpResponse:
    context = {"form": form, "title": title, "rule": rule}
    return show(request, "console/review_rules/form.html", context, status=422 if form.errors else 200)
