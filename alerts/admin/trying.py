"""The page that simulates an alert."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldAdminSplitDateTimeWidget

from alerts.admin.fields import area, pairs
from alerts.services.simulating import contributors, simulate
from alerts.updates import TITLE_LENGTH
from core.backoffice.badges import severity_badge
from core.backoffice.base import exactly, zone_note
from core.errors import DomainError
from core.severity import SEVERITY_OF_WORD
from incidents.models import Category
from intake.models import Source
from responders.models import Service, Team
from users.models import User

LABELS, PAYLOAD = "labels", "payload"
LONGEST = 200_000
MOST_LABELS = 100
OWN = ("title", "severity", "description")


class TryForm(forms.Form):
    """What to try."""

    shape = forms.ChoiceField(
        label=_("Input"),
        choices=[
            (LABELS, _("An alert: its labels, one per line")),
            (PAYLOAD, _("A payload, exactly as the source sends it")),
        ],
        initial=LABELS,
        widget=UnfoldAdminRadioSelectWidget,
    )
    source = forms.ModelChoiceField(
        Source.objects.order_by("name"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Required for a payload: its kind decides how the payload is read."),
    )
    text = forms.CharField(
        label=_("Alert"),
        max_length=LONGEST,
        strip=False,
        widget=area(10, "title = Disk almost full\nseverity = high\nhost = db-3\ncluster = eu-1"),
        help_text=_("One name = value per line; title, severity and description set the alert's own fields."),
    )
    at = forms.SplitDateTimeField(
        required=False,
        label=_("At"),
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("Arrival time, used for silences and grouping. Leave empty for now."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["at"].help_text = f"{self.fields['at'].help_text} {zone_note()}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("shape") == PAYLOAD and not cleaned.get("source"):
            self.add_error("source", _("Choose the source that sends it."))
        if cleaned.get("shape") == LABELS and "text" in cleaned:
            try:
                cleaned["alert"] = alert_of(cleaned["text"])
            except ValueError as error:
                self.add_error("text", str(error))
        return cleaned


def alert_of(text: str) -> dict[str, Any]:
    """Return an alert from lines of labels. Raises ValueError."""
    facts = dict(pairs(text, "host = db-3"))
    if len(facts) > MOST_LABELS:
        raise ValueError(gettext("An alert has at most %(number)d labels.") % {"number": MOST_LABELS})
    alert: dict[str, Any] = {name: facts.pop(name) for name in OWN if name in facts}
    alert["severity"] = alert.get("severity", "").lower()
    if alert["severity"] and alert["severity"] not in SEVERITY_OF_WORD:
        facts["severity"] = alert.pop("severity")  # the source's own words decide
    return {**alert, "title": (alert.get("title") or gettext("Test alert"))[:TITLE_LENGTH], "labels": facts}


def simulate_asked(asked: dict[str, Any], viewer: User) -> list[dict[str, Any]]:
    """Return the page's results. Raises DomainError for unreadable input."""
    how: dict[str, Any] = {"viewer": viewer, "source": asked["source"], "at": asked["at"]}
    if asked["shape"] == LABELS:
        answer = simulate(alert=asked["alert"], **how)
    else:
        kind = {"content-type": "application/json"} if _is_json(asked["text"]) else {}
        answer = simulate(payload=asked["text"], headers=kind, **how)
    if not answer["alerts"]:
        raise DomainError(gettext("The payload contains no alert."))
    return [_result_row(one) for one in answer["alerts"]]


def _result_row(result: dict[str, Any]) -> dict[str, Any]:
    opening, incident = result["opening"], result["incident"]
    return {
        **result,
        "silence_ends": exactly(result["silence"]["ends_at"]) if result["silence"] else "",
        "severity": severity_badge(SEVERITY_OF_WORD[result["alert"]["severity"]]),
        "opening_severity": severity_badge(SEVERITY_OF_WORD[opening["severity"]]) if opening else "",
        "grouped": ", ".join(f"{name}={value}" for name, value in result["group_by"].items()),
        "team": _team(opening, incident) if opening or incident else None,
        "category": Category.objects.filter(slug=opening["category"]).first() if opening else None,
        "added": [(one.title, one.lines(result[one.name])) for one in contributors],
        "services": list(Service.objects.filter(slug__in=opening["services"])) if opening else [],
    }


def _team(opening: dict[str, Any] | None, incident: dict[str, Any] | None) -> Team | None:
    rows = Team.objects.filter(pk=opening["team"]) if opening else Team.objects.filter(incidents=(incident or {})["id"])
    return rows.first()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
