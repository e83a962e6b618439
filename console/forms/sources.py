from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from alerts.models import Heartbeat
from console.forms.fields import ActiveRowField, NamesField
from console.forms.seen import SeenForm
from core.severity import SEVERITY_WORDS, Severity
from intake.models import Source
from responders.models import Team

NUMBERS = ("reopen_minutes", "rate_limit")
OPTIONAL_NUMBERS = ("expire_minutes", "heartbeat_minutes")


class NewSourceForm(SeenForm):
    """A source's name and team; its serializer judges the values."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Which installation it is, such as “Monitoring, Zurich”.")
    )
    team = ActiveRowField(
        Team,
        blank=_("None"),
        label=_("Team"),
        help_text=_("Gets its incidents, unless a route says otherwise."),
    )

    def as_api(self) -> dict[str, Any]:
        """Return the form as the API takes it."""
        given = self.cleaned_data
        return {"name": given["name"], "team": int(given["team"]) if given["team"] else None}


class SourceForm(NewSourceForm):
    """What people set most often; the back office has the rest."""

    default_severity = forms.ChoiceField(
        label=_("Severity of alerts that name none"), choices=[*reversed(SEVERITY_WORDS)]
    )
    group_by = NamesField(
        label=_("Group by"),
        required=False,
        help_text=_("Label names. Alerts with the same values share one open incident. Empty: each has its own."),
    )
    auto_resolve = forms.BooleanField(label=_("Resolve the incident when all its alerts are over"), required=False)
    reopen_minutes = forms.IntegerField(
        label=_("Reopen within (minutes)"),
        min_value=1,
        help_text=_("An alert that fires again this soon reopens its incident instead of opening another."),
    )
    expire_minutes = forms.IntegerField(
        label=_("Alerts expire after (minutes)"),
        min_value=1,
        required=False,
        help_text=_("Without an update. Empty: after a day, where the sender gives no end."),
    )
    heartbeat_minutes = forms.IntegerField(
        label=_("Expected at least every (minutes)"),
        min_value=1,
        required=False,
        help_text=_("An alert is raised when nothing arrives for this long. Empty: never."),
    )
    rate_limit = forms.IntegerField(
        label=_("Requests per minute"), min_value=1, help_text=_("Requests above this rate are rejected with 429.")
    )
    signing_secret = forms.CharField(
        label=_("Signing secret"),
        max_length=200,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("What the sender signs its requests with, if anything. Never shown; empty keeps it."),
    )

    def as_api(self) -> dict[str, Any]:
        given = self.cleaned_data
        names = ("default_severity", "group_by", "auto_resolve", *NUMBERS, *OPTIONAL_NUMBERS)
        secret = {"signing_secret": given["signing_secret"]} if given["signing_secret"] else {}
        return {**super().as_api(), **{name: given[name] for name in names}, **secret}


def initial_of(source: Source) -> dict[str, Any]:
    """Return a source as its form begins."""
    names = ("name", "group_by", "auto_resolve", *NUMBERS, *OPTIONAL_NUMBERS)
    return {
        **{name: getattr(source, name) for name in names},
        "team": source.team_id,
        "default_severity": Severity(source.default_severity).word,
    }


def _sources() -> list[tuple[Any, Any]]:
    return list(Source.objects.order_by("name").values_list("pk", "name"))


class HeartbeatForm(SeenForm):
    """A heartbeat; its serializer judges the values."""

    source = forms.TypedChoiceField(label=_("Source"), choices=_sources, coerce=int)
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("As the pings name it, such as backup."))
    interval_minutes = forms.IntegerField(label=_("Expected at least every (minutes)"), min_value=1, initial=10)
    is_enabled = forms.BooleanField(
        label=_("Enabled"), required=False, initial=True, help_text=_("Disabling it resolves its alert.")
    )


def heartbeat_initial(heartbeat: Heartbeat) -> dict[str, Any]:
    """Return a heartbeat as its form begins."""
    names = ("name", "interval_minutes", "is_enabled")
    return {**{name: getattr(heartbeat, name) for name in names}, "source": heartbeat.source_id}
