"""Forms of the incident pages."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
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

FOLLOW = ("", _("Derived from the severity"))


# The update stands outside the form element, beside the timeline.
IN_INCIDENT_FORM = {"form": "incident_form"}
VISIBILITIES = [
    (Visibility.PUBLIC, _("Public: visible to the reporter")),
    (Visibility.INTERNAL, _("Internal: responders only")),
]


class UpdateFields(forms.Form):
    """An update and its visibility."""

    message = forms.CharField(
        label=_("Message"),
        max_length=20_000,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, **IN_INCIDENT_FORM}),
    )
    visibility = forms.ChoiceField(
        label=_("Visibility"),
        required=False,
        choices=VISIBILITIES,
        initial=DEFAULT_VISIBILITY,
        widget=UnfoldAdminRadioSelectWidget(attrs=IN_INCIDENT_FORM),
    )


class IncidentForm(UpdateFields, RefusableForm):
    """The incident's fields, saved by incidents.services."""

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
        label=_("Priority"),
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
        if "priority" in self.cleaned_data:
            given = self.cleaned_data.pop("priority")
            super()._post_clean()  # type: ignore[misc]
            self.cleaned_data["priority"] = Priority(int(given)) if given else None
        else:
            super()._post_clean()  # type: ignore[misc]


class NoteForm(forms.Form):
    note = forms.CharField(
        max_length=10_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text=_("Recorded on the timeline.")
    )

    def __init__(self, *args: Any, is_required: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].required = is_required


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Recorded on the timeline; do not repeat the redacted text."),
    )


class CommentForm(forms.Form):
    """An update by somebody who cannot edit the incident."""

    message = forms.CharField(
        label=_("Message"), max_length=20_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    visibility = forms.ChoiceField(
        label=_("Visibility"), choices=VISIBILITIES, initial=DEFAULT_VISIBILITY, widget=UnfoldAdminRadioSelectWidget
    )


class GrantForm(forms.Form):
    """Asks for consent to grant access where an incident is restricted."""

    grants_access = forms.BooleanField(
        required=False,
        label=_("Grant access to restricted incidents"),
        widget=UnfoldBooleanWidget,
        help_text=_("The selection includes a restricted incident. Unless ticked, nobody gains access to it."),
    )

    def __init__(self, *args: Any, incidents: Iterable[Incident | None] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not any(incident is not None and incident.is_restricted for incident in incidents):
            del self.fields["grants_access"]

    @property
    def is_granted(self) -> bool:
        return bool(self.cleaned_data.get("grants_access"))


class TeamForm(GrantForm, NoteForm):
    field_order = ("team", "note", "grants_access")
    team = forms.ModelChoiceField(
        Team.objects.active(), widget=AutocompleteSelect(Incident._meta.get_field(_("team")), admin.site)
    )


class PersonForm(GrantForm, NoteForm):
    field_order = ("assignee", "note", "grants_access")
    assignee = forms.ModelChoiceField(
        User.objects.can_respond(),
        widget=AutocompleteSelect(Incident._meta.get_field(_("assignee")), admin.site),
    )


class AssignForm(GrantForm, NoteForm):
    field_order = ("team", "assignee", "note", "grants_access")
    team = forms.ModelChoiceField(
        Team.objects.active(), required=False, empty_label=_("No team"), widget=UnfoldAdminSelectWidget
    )
    assignee = forms.ModelChoiceField(
        User.objects.can_respond(), required=False, empty_label=_("Nobody"), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = self.initial.get("team")
        self.fields["team"].queryset = Team.objects.filter(Q(is_active=True) | Q(pk=present))  # type: ignore[attr-defined]
