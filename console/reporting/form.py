"""The report as a form; the API's serializer judges what it says."""

from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.api.fields import MAX_TEXT
from core.severity import SEVERITY_WORDS
from incidents.attachments.kinds import KINDS, TEXT_EXTENSIONS
from incidents.models import Category
from incidents.serializers.incidents import IncidentCreateSerializer
from responders.models import Service, Team
from users.models import User

MAX_CHOICES = 500
ACCEPT = ",".join([*KINDS, *(f".{extension}" for extension in TEXT_EXTENSIONS)])
# What is asked about while somebody writes, beside the title; the script cuts the description short.
ASKED = ("description", "severity", "category", "services", "location", "team")
MOMENT = "%Y-%m-%dT%H:%M"


class ReportForm(forms.Form):
    """What a report may say; `user` None is somebody offline, who is offered no names."""

    title = forms.CharField(
        label=_("What is wrong?"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "enterkeyhint": "next"}),
    )
    description = forms.CharField(
        label=_("What do you see?"),
        max_length=MAX_TEXT,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    severity = forms.ChoiceField(
        label=_("Severity"), required=False, choices=[("", _("Not sure")), *((w, label) for w, label in SEVERITY_WORDS)]
    )
    category = forms.ChoiceField(label=_("Category"), required=False)
    services = forms.ChoiceField(label=_("Affected service"), required=False)
    location = forms.CharField(label=_("Place"), required=False, max_length=200)
    occurred_at = forms.DateTimeField(
        label=_("When it began"),
        required=False,
        input_formats=[MOMENT, f"{MOMENT}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
        help_text=_("If it was not just now."),
    )
    team = forms.ChoiceField(label=_("Team"), required=False)
    is_restricted = forms.BooleanField(
        label=_("Confidential"),
        required=False,
        help_text=_("Only you, the people who work on it and administrators see it."),
    )

    def __init__(self, data: Any = None, *, user: User | None, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        self.user = user
        if user is None:
            for name in ("category", "services", "team"):
                del self.fields[name]
            return
        self.fields["title"].widget.attrs |= {
            "hx-get": reverse("console:report-similar"),
            "hx-trigger": "input changed delay:400ms, change from:#report delay:300ms",
            "hx-target": "#similar",
            "hx-include": ", ".join(f"#id_{name}" for name in ASKED),
        }
        self._offer("category", Category, "slug", _("Not sure"))
        self._offer("services", Service, "slug", _("Not sure"))
        if user.is_staff:
            self._offer("team", Team, "pk", _("Whoever is responsible"))
        else:
            del self.fields["team"]

    def _offer(self, name: str, model: Any, value: str, nothing: Any) -> None:
        found = model.objects.active().order_by("name").values_list(value, "name")[:MAX_CHOICES]
        self.fields[name].choices = [("", nothing), *((str(key), label) for key, label in found)]  # type: ignore[attr-defined]
        if len(self.fields[name].choices) == 1:  # type: ignore[attr-defined]
            del self.fields[name]

    def judge(self) -> dict[str, Any]:
        """Return the fields of the new incident; complaints become the form's errors."""
        if not self.is_valid():
            return {}
        given = {name: value for name, value in self.cleaned_data.items() if value not in ("", None, False)}
        if "services" in given:
            given["services"] = [given["services"]]
        if "occurred_at" in given:
            given["occurred_at"] = given["occurred_at"].isoformat()
        serializer = IncidentCreateSerializer(data=given, context={"request": SimpleNamespace(user=self.user)})
        if serializer.is_valid():
            return dict(serializer.validated_data)
        for name, complaints in serializer.errors.items():
            for complaint in complaints if isinstance(complaints, list) else [str(complaints)]:
                self.add_error(name if name in self.fields else None, str(complaint))
        return {}

    @property
    def optional(self) -> list[forms.BoundField]:
        """Return what stands behind "More"."""
        names = ("severity", "category", "services", "location", "occurred_at", "team", "is_restricted")
        return [self[name] for name in names if name in self.fields]

    @property
    def opens_optional(self) -> bool:
        """Return whether something behind "More" was filled in, or refused."""
        return any(
            field.errors or (self.is_bound and field.value()) or self.initial.get(field.name) for field in self.optional
        )


def limits() -> dict[str, Any]:
    """Return what the page tells of files before they are sent."""
    return {
        "most": settings.MAX_ATTACHMENTS,
        "bytes": settings.MAX_ATTACHMENT_BYTES,
        "megabytes": max(1, settings.MAX_ATTACHMENT_BYTES // (1024 * 1024)),
        "accept": ACCEPT,
    }
