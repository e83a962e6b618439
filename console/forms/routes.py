import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.models import Route
from alerts.models.routing import MOST_FIRINGS
from console.forms.fields import ActiveRowField, MatchersField, MomentField, NamesField, PairsField
from console.forms.seen import SeenForm
from core.severity import PRIORITY_WORDS, SEVERITY_WORDS, Priority, Severity
from incidents.models import Category
from intake.models import Source
from responders.models import Service, Team

UNSET = ("", _("Leave unset"))
LONGEST = 200_000


class RouteForm(SeenForm):
    """A route; its serializer judges the values."""

    name = forms.CharField(label=_("Name"), max_length=100)
    is_enabled = forms.BooleanField(label=_("Enabled"), required=False, initial=True)
    matchers = MatchersField(
        label=_("For alerts where"),
        required=False,
        help_text=_(
            "All rows must hold; none: every alert. Beside labels there are severity and source, the source's name. "
            "Patterns match the whole value."
        ),
    )
    drop = forms.BooleanField(
        label=_("Drop the alert"), required=False, help_text=_("It is counted, and nothing of it is kept.")
    )
    team = ActiveRowField(Team, blank=UNSET[1], label=_("Team"))
    service = ActiveRowField(Service, key="slug", blank=UNSET[1], label=_("Service"))
    category = ActiveRowField(Category, key="slug", blank=UNSET[1], label=_("Category"))
    severity = forms.ChoiceField(label=_("Severity"), choices=[UNSET, *reversed(SEVERITY_WORDS)], required=False)
    priority = forms.ChoiceField(label=_("Priority"), choices=[UNSET, *PRIORITY_WORDS], required=False)
    group_by = NamesField(
        label=_("Group by"),
        required=False,
        help_text=_("Label names. Alerts with the same values share one open incident. Empty: as the source says."),
    )
    open_after_count = forms.IntegerField(
        label=_("Open an incident after this many firings"), min_value=1, max_value=MOST_FIRINGS, initial=1
    )
    open_after_minutes = forms.IntegerField(label=_("within this many minutes"), min_value=1, initial=5)
    go_on = forms.BooleanField(
        label=_("Continue with later routes"),
        required=False,
        help_text=_("They fill in what this one leaves unset."),
    )

    def as_api(self) -> dict[str, Any]:
        """Return the form as the API takes it."""
        given = self.cleaned_data
        plain = {name: given[name] for name in ("name", "is_enabled", "matchers", "drop")}
        chosen = {name: given[name] or None for name in ("service", "category", "severity", "priority", "group_by")}
        return {
            **plain,
            **chosen,
            "team": int(given["team"]) if given["team"] else None,
            "continue": given["go_on"],
            "open_after": {"count": given["open_after_count"], "minutes": given["open_after_minutes"]},
        }


def initial_of(route: Route) -> dict[str, Any]:
    """Return a route as its form begins."""
    names = ("name", "is_enabled", "matchers", "group_by", "open_after_count", "open_after_minutes", "go_on")
    return {
        **{name: getattr(route, name) for name in names},
        "drop": route.is_drop,
        "team": route.team_id,
        "service": route.service.slug if route.service else "",
        "category": route.category.slug if route.category else "",
        "severity": Severity(route.severity).word if route.severity else "",
        "priority": Priority(route.priority).word if route.priority else "",
    }


class SimulationForm(forms.Form):
    """An alert, or a payload as a source sends it."""

    shape = forms.ChoiceField(
        label=_("Try"),
        choices=[("alert", _("an alert")), ("payload", _("a payload, as its source sends it"))],
        widget=forms.RadioSelect,
        initial="alert",
    )
    source = forms.ModelChoiceField(
        Source.objects.order_by("name"),
        label=_("Source"),
        required=False,
        empty_label=_("None"),
        help_text=_("Needed for a payload: its kind says how to read it."),
    )
    title = forms.CharField(label=_("Title"), max_length=200, required=False)
    severity = forms.ChoiceField(
        label=_("Severity"), choices=[("", _("The source's default")), *reversed(SEVERITY_WORDS)], required=False
    )
    labels = PairsField(label=_("Labels"), required=False)
    payload = forms.CharField(
        label=_("Payload"),
        max_length=LONGEST,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
    )
    at = MomentField(
        label=_("Arriving at"), required=False, help_text=_("For silences and who is on call. Empty: now.")
    )

    def as_api(self) -> dict[str, Any]:
        """Return the form as the API takes it."""
        given = self.cleaned_data
        asked: dict[str, Any] = {}
        if given["source"]:
            asked["source"] = given["source"].pk
        if given["at"]:
            asked["at"] = given["at"]
        if given["shape"] == "payload":
            is_json = _is_json(given["payload"])
            return {
                **asked,
                "payload": given["payload"],
                "headers": {"content-type": "application/json"} if is_json else {},
            }
        facts = {name: given[name] for name in ("title", "severity") if given[name]}
        return {**asked, "alert": {**facts, "labels": given["labels"]}}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
