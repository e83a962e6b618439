"""Forms of the incident's actions; services decide what they may do."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.severity import Priority, Severity
from core.text.names import one_line
from incidents.models import Category, Incident, LinkKind, Visibility
from incidents.vocabulary import DEFAULT_VISIBILITY
from responders import targets
from responders.models import Service, Team
from users.models import User

MAX_TEXT = 20_000
MOST_DIGITS = 18
VISIBILITIES = [
    (Visibility.INTERNAL, _("Internal")),
    (Visibility.PUBLIC, _("Public")),
]
FOLLOWS_SEVERITY = ("", _("As the severity"))
Choices = list[tuple[str, Any]]


def text_area(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "data-draft": ""})


class RowsField(forms.ModelMultipleChoiceField):
    """Rows by number; what no column holds is no choice."""

    def clean(self, value: Any) -> Any:
        if wide := [one for one in value or () if len(str(one)) > MOST_DIGITS]:
            raise forms.ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice", params={"value": wide[0]}
            )
        return super().clean(value)


class UpdateForm(forms.Form):
    """An update, and the move that goes with it."""

    message = forms.CharField(label=_("Update"), max_length=MAX_TEXT, widget=text_area())
    visibility = forms.ChoiceField(choices=VISIBILITIES, initial=DEFAULT_VISIBILITY, required=False)
    then = forms.CharField(required=False, max_length=20)

    def clean_visibility(self) -> str:
        return str(self.cleaned_data["visibility"] or DEFAULT_VISIBILITY)


class NoteForm(forms.Form):
    """The note of a move."""

    note = forms.CharField(label=_("Note"), max_length=MAX_TEXT, required=False, widget=text_area())
    visibility = forms.ChoiceField(
        label=_("Who reads the note"),
        choices=VISIBILITIES,
        initial=DEFAULT_VISIBILITY,
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, is_required: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].required = is_required

    def clean_visibility(self) -> str:
        return str(self.cleaned_data["visibility"] or DEFAULT_VISIBILITY)


class ChangeForm(forms.Form):
    """Fields of an incident; what was not edited is left alone, whoever changed it meanwhile."""

    group: tuple[str, ...] = ()

    def __init__(self, incident: Incident, data: Any = None) -> None:
        super().__init__(data, initial=_initial(incident))
        self.incident = incident
        self._limit(incident)
        for name in self.group:
            self.fields[name].show_hidden_initial = True

    def _limit(self, incident: Incident) -> None:
        """Leave retired choices out, but for what the incident has."""

    @property
    def edited(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.group if name in self.changed_data}

    @property
    def is_granted(self) -> bool:
        return bool(self.cleaned_data.get("grants_access"))

    @property
    def note(self) -> str:
        return str(self.cleaned_data.get("note", ""))


def _initial(incident: Incident) -> dict[str, Any]:
    return {
        "title": incident.title,
        "description": incident.description,
        "severity": str(int(incident.severity)),
        "priority": str(int(incident.priority)) if incident.is_priority_given else "",
        "category": incident.category_id,
        "location": incident.location,
        "team": incident.team_id,
        "assignee": incident.assignee_id,
        "is_restricted": str(incident.is_restricted).lower(),
    }


def _active_or(model: Any, number: int | None) -> Any:
    return model.objects.filter(Q(is_active=True) | Q(pk=number))


class ReportForm(ChangeForm):
    group = ("title", "description")
    title = forms.CharField(label=_("Title"), max_length=200)
    description = forms.CharField(
        label=_("Description"), required=False, max_length=100_000, widget=text_area(8), strip=False
    )

    def clean_title(self) -> str:
        title = one_line(self.cleaned_data["title"])
        if not title:
            raise forms.ValidationError(_("Write a title."))
        return title


class DetailsForm(ReportForm):
    group = ("title", "description", "category", "location", "services")
    category = forms.ModelChoiceField(
        Category.objects.none(), label=_("Category"), required=False, empty_label=_("None")
    )
    location = forms.CharField(label=_("Location"), required=False, max_length=200)
    services = RowsField(Service.objects.none(), label=_("Services"), required=False)

    def _limit(self, incident: Incident) -> None:
        own = list(incident.services.values_list("pk", flat=True))
        self.fields["category"].queryset = _active_or(Category, incident.category_id)  # type: ignore[attr-defined]
        self.fields["services"].queryset = Service.objects.filter(Q(is_active=True) | Q(pk__in=own))  # type: ignore[attr-defined]
        self.initial["services"] = own


class SeverityForm(ChangeForm):
    group = ("severity", "priority")
    severity = forms.TypedChoiceField(
        label=_("Severity"),
        coerce=lambda value: Severity(int(value)),
        choices=[(str(one.value), one.label) for one in sorted(Severity, reverse=True)],
        widget=forms.RadioSelect,
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        required=False,
        empty_value=None,
        coerce=lambda value: Priority(int(value)),
        choices=[FOLLOWS_SEVERITY, *((str(one.value), one.label) for one in sorted(Priority, reverse=True))],
    )
    note = forms.CharField(label=_("Why"), required=False, max_length=MAX_TEXT, widget=text_area(2))


class GrantForm(ChangeForm):
    grants_access = forms.BooleanField(
        label=_("Give whoever gets it access to this restricted incident"), required=False
    )

    def _limit(self, incident: Incident) -> None:
        if not incident.is_restricted:
            del self.fields["grants_access"]


class AssignmentForm(GrantForm):
    field_order = ("team", "assignee", "note", "grants_access")
    group = ("team", "assignee")
    team = forms.ModelChoiceField(Team.objects.none(), label=_("Team"), required=False, empty_label=_("No team"))
    assignee = forms.ModelChoiceField(User.objects.none(), label=_("Assignee"), required=False, empty_label=_("Nobody"))
    note = forms.CharField(label=_("Hand-over note"), required=False, max_length=MAX_TEXT, widget=text_area())

    def _limit(self, incident: Incident) -> None:
        super()._limit(incident)
        people = User.objects.can_respond().order_by("name", "pk")
        self.fields["team"].queryset = _active_or(Team, incident.team_id)  # type: ignore[attr-defined]
        self.fields["assignee"].queryset = people  # type: ignore[attr-defined]


class AccessForm(ChangeForm):
    group = ("is_restricted",)
    is_restricted = forms.TypedChoiceField(
        label=_("Who sees it"),
        coerce=lambda value: value == "true",
        choices=[
            ("false", _("All responders, and those who follow it")),
            ("true", _("Its team, its assignee, those who follow it, and administrators")),
        ],
        widget=forms.RadioSelect,
    )

    @property
    def is_granted(self) -> bool:
        return True  # that is what the form asks


class FollowerForm(forms.Form):
    user = forms.ModelChoiceField(User.objects.active().order_by("name", "pk"), label=_("Person"))


class LinkForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("How"),
        choices=[
            (LinkKind.RELATED_TO, _("Related to")),
            (LinkKind.CAUSED_BY, _("Caused by")),
            (LinkKind.DUPLICATE_OF, _("Duplicate of: resolves this incident")),
        ],
    )
    target = forms.CharField(label=_("Incident"), max_length=30, widget=forms.TextInput(attrs={"placeholder": "INC-"}))
    grants_access = forms.BooleanField(
        label=_("Followers of a duplicate may see the other incident, even if it is restricted"), required=False
    )


class MergeForm(forms.Form):
    into = forms.CharField(label=_("Into"), max_length=30, widget=forms.TextInput(attrs={"placeholder": "INC-"}))
    grants_access = forms.BooleanField(
        label=_("Whoever sees the other incident may see what is restricted here"), required=False
    )


class PageForm(forms.Form):
    """Whom to page, and what to tell them."""

    targets = forms.MultipleChoiceField(label=_("Whom"), widget=forms.SelectMultiple(attrs={"size": 10}))
    message = forms.CharField(label=_("Message"), required=False, max_length=MAX_TEXT, widget=text_area(2))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["targets"].choices = _targets()  # type: ignore[attr-defined]

    def clean_targets(self) -> list[tuple[str, int]]:
        parts = (value.split(":") for value in self.cleaned_data["targets"])
        return [(kind, int(number)) for kind, number in parts]


def _targets() -> list[tuple[str, Choices]]:
    kinds = [one for one in targets.target_kinds().values() if one.is_people]
    names = [(one.label, [(f"{one.kind}:{number}", name) for number, name in one.all_names().items()]) for one in kinds]
    return [(str(label), choices) for label, choices in reversed(names)]


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Recorded on the timeline; do not repeat the redacted text."),
    )
