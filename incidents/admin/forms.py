"""The forms of the incident pages."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Q
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from core.backoffice.base import RefusableForm
from core.severity import Priority
from incidents.models import Incident, Visibility
from incidents.vocabulary import DEFAULT_VISIBILITY
from responders.models import Team
from users.models import User

FOLLOW = ("", "Follows the severity")


# The update is written below the form, beside the timeline, and saved with it.
OF_INCIDENT_FORM = {"form": "incident_form"}
VISIBILITIES = [(Visibility.PUBLIC, "Public: the reporter too"), (Visibility.INTERNAL, "Internal: responders only")]


class UpdateFields(forms.Form):
    """An update for the timeline, and who reads it."""

    message = forms.CharField(
        max_length=20_000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, **OF_INCIDENT_FORM})
    )
    visibility = forms.ChoiceField(
        required=False,
        choices=VISIBILITIES,
        initial=DEFAULT_VISIBILITY,
        widget=UnfoldAdminRadioSelectWidget(attrs=OF_INCIDENT_FORM),
    )


class IncidentForm(UpdateFields, RefusableForm):
    """What is known of an incident. Saved by incidents.services, one event for each field that changed."""

    class Meta:
        model = Incident
        fields = (
            "title",
            "description",
            "severity",
            "category",
            "location",
            "services",
            "team",
            "assignee",
            "is_restricted",
        )

    priority = forms.ChoiceField(
        required=False,
        choices=[FOLLOW, *((str(value), label) for value, label in Priority.choices[::-1])],
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "priority" in self.fields:
            given = self.instance.pk is not None and self.instance.is_priority_given
            self.initial["priority"] = str(self.instance.priority) if given else ""

    def _post_clean(self) -> None:
        """Leave the priority out of the instance: the service alone knows what "follows" comes to."""
        if "priority" in self.cleaned_data:
            given = self.cleaned_data.pop("priority")
            super()._post_clean()  # type: ignore[misc]
            self.cleaned_data["priority"] = Priority(int(given)) if given else None
        else:
            super()._post_clean()  # type: ignore[misc]


class NoteForm(forms.Form):
    """A sentence that says why."""

    note = forms.CharField(
        max_length=10_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="Goes on the timeline."
    )

    def __init__(self, *args: Any, is_required: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].required = is_required


class ReasonForm(forms.Form):
    """Why a text is taken out."""

    reason = forms.CharField(
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Goes on the timeline; do not repeat here what must not be read.",
    )


class CommentForm(forms.Form):
    """An update for the timeline, by who has nothing else to save."""

    message = forms.CharField(max_length=20_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))
    visibility = forms.ChoiceField(
        choices=VISIBILITIES, initial=DEFAULT_VISIBILITY, widget=UnfoldAdminRadioSelectWidget
    )


class GrantForm(forms.Form):
    """What may let people see a restricted incident; asked only where one of the `incidents` is."""

    grants_access = forms.BooleanField(
        required=False,
        label="Let them see what is restricted",
        widget=UnfoldBooleanWidget,
        help_text="A restricted incident is among these. Unticked, nobody comes to see it by this.",
    )

    def __init__(self, *args: Any, incidents: Iterable[Incident | None] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not any(incident is not None and incident.is_restricted for incident in incidents):
            del self.fields["grants_access"]

    @property
    def is_granted(self) -> bool:
        """Whether it was asked, and ticked."""
        return bool(self.cleaned_data.get("grants_access"))


class TeamForm(GrantForm, NoteForm):
    """Which team gets them."""

    field_order = ("team", "note", "grants_access")
    team = forms.ModelChoiceField(
        Team.objects.active(), widget=AutocompleteSelect(Incident._meta.get_field("team"), admin.site)
    )


class PersonForm(GrantForm, NoteForm):
    """Who gets them."""

    field_order = ("assignee", "note", "grants_access")
    assignee = forms.ModelChoiceField(
        User.objects.can_respond(),
        widget=AutocompleteSelect(Incident._meta.get_field("assignee"), admin.site),
    )


class AssignForm(GrantForm, NoteForm):
    """Which team and which person have one incident from now on."""

    field_order = ("team", "assignee", "note", "grants_access")
    team = forms.ModelChoiceField(
        Team.objects.active(), required=False, empty_label="No team", widget=UnfoldAdminSelectWidget
    )
    assignee = forms.ModelChoiceField(
        User.objects.can_respond(), required=False, empty_label="Nobody", widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = self.initial.get("team")
        self.fields["team"].queryset = Team.objects.filter(Q(is_active=True) | Q(pk=present))  # type: ignore[attr-defined]
