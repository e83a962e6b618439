"""Forms of a review: each section, each part, its action items, and the rules that require one."""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from console.forms.fields import ActiveRowField, MomentField, NamesField
from console.forms.seen import SeenForm
from core.severity import SEVERITY_WORDS
from responders.models import Team
from reviews.models.review import MAX_TEXT
from reviews.vocabulary import ItemState, Part
from users.models import User

SECONDS = "%Y-%m-%dT%H:%M:%S"
MAX_PART = 4000
MAX_DETAILS = 10_000


def text_area(rows: int = 6) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class PersonField(forms.ModelChoiceField):
    """One of those who can respond; somebody who was chosen earlier stays on offer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(User.objects.none(), required=False, **options)

    def offer(self, chosen: int | None) -> None:
        """Offer responders and whoever is chosen already."""
        people = User.objects.filter(Q(pk__in=User.objects.can_respond().values("pk")) | Q(pk=chosen))
        self.queryset = people.order_by("name", "pk")


class StoredMomentField(MomentField):
    """A time to the second; the stored one stays as it is, even where the clocks show its hour twice."""

    stored: dt.datetime | None = None

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(format=SECONDS, attrs={"type": "datetime-local", "step": "1"})
        super().__init__(widget=widget, **options)

    def to_python(self, value: Any) -> Any:
        if self.stored is not None and value == timezone.localtime(self.stored).strftime(SECONDS):
            return self.stored
        return super().to_python(value)


class PartForm(SeenForm):
    """A form whose stored values a service is told only where they were changed."""

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial or {}, label_suffix="")
        for name, field in self.fields.items():
            stored = self.initial.get(name)
            if isinstance(field, PersonField):
                field.offer(stored)
            if isinstance(field, StoredMomentField):
                field.stored = stored

    @property
    def changes(self) -> dict[str, Any]:
        """Return the fields that were changed, as the service takes them."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}

    @property
    def values(self) -> dict[str, Any]:
        """Return all fields, for something new."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


class HeadForm(PartForm):
    """Title, owner and due time; a due time that a rule set is for administrators."""

    title = forms.CharField(label=_("Title"), max_length=200)
    owner = PersonField(label=_("Owner"), empty_label=_("Nobody"))
    due_at = StoredMomentField(label=_("Due"), required=False)


class TextForm(PartForm):
    """One text of a review."""

    text = forms.CharField(label=_("Text"), required=False, max_length=MAX_TEXT, strip=False, widget=text_area(12))


class ThemesForm(PartForm):
    """Words that reviews have in common."""

    themes = NamesField(
        label=_("Themes"),
        required=False,
        help_text=_("Separated by commas, such as: handover, monitoring gap, capacity."),
    )


class PublicForm(PartForm):
    """The public edition, in each language of the status page."""

    public_title = forms.CharField(label=_("Public title"), required=False, max_length=200)
    public_text = forms.CharField(
        label=_("Public text"), required=False, max_length=MAX_TEXT, strip=False, widget=text_area(10)
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any], languages: list[tuple[str, str]]) -> None:
        self.languages = languages
        texts = initial.pop("public_translations")
        initial |= {
            f"{name}_{code}": texts.get(code, {}).get(name, "")
            for code, _name in languages
            for name in ("title", "text")
        }
        for code, name in languages:
            words = {"language": name}
            title = forms.CharField(label=_("Public title, %(language)s") % words, required=False, max_length=200)
            text = forms.CharField(
                label=_("Public text, %(language)s") % words, required=False, max_length=MAX_TEXT, widget=text_area(10)
            )
            self.base_fields = {**self.base_fields, f"title_{code}": title, f"text_{code}": text}
        super().__init__(data, initial=initial)

    @property
    def changes(self) -> dict[str, Any]:
        given = self.cleaned_data
        translations = {
            code: {name: given[f"{name}_{code}"] for name in ("title", "text")} for code, _name in self.languages
        }
        found = {name: value for name, value in super().changes.items() if name.startswith("public_")}
        is_changed = any(not name.startswith("public_") for name in self.changed_data)
        return {**found, "public_translations": translations} if is_changed else found


class MomentForm(PartForm):
    at = StoredMomentField(label=_("When"))
    text = forms.CharField(label=_("What happened"), max_length=MAX_PART, strip=False, widget=text_area(3))


class FactorForm(PartForm):
    text = forms.CharField(
        label=_("What contributed"),
        max_length=MAX_PART,
        strip=False,
        widget=text_area(3),
        help_text=_("One thing at a time: there is seldom a single cause."),
    )


class ParticipantForm(PartForm):
    user = PersonField(label=_("Person"), empty_label=_("Choose somebody"))
    part = forms.ChoiceField(label=pgettext_lazy("participant", "Part"), choices=Part.choices)
    notes = forms.CharField(
        label=_("Notes"),
        required=False,
        max_length=MAX_TEXT,
        strip=False,
        widget=text_area(5),
        help_text=_("What they told, in an interview for instance."),
    )

    def clean_user(self) -> User:
        found: User | None = self.cleaned_data["user"]
        if found is None:
            raise forms.ValidationError(self.fields["user"].error_messages["required"], code="required")
        return found


class ParticipantEditForm(ParticipantForm):
    user = None  # type: ignore[assignment]  # who it is stays

    clean_user = None  # type: ignore[assignment]


class ItemForm(PartForm):
    """Something to do; its owner may change `state` and `url` only."""

    title = forms.CharField(label=_("What is to be done"), max_length=200)
    description = forms.CharField(
        label=_("Details"), required=False, max_length=MAX_DETAILS, strip=False, widget=text_area(3)
    )
    owner = PersonField(label=_("Owner"), empty_label=_("Nobody yet"))
    due_on = forms.DateField(
        label=_("Due on"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    url = forms.CharField(
        label=_("Ticket"),
        required=False,
        max_length=500,
        widget=forms.URLInput,
        help_text=_("Its address in your tracker."),
    )

    def restrict(self, names: frozenset[str]) -> None:
        """Keep only the fields that somebody may change."""
        for name in set(self.fields) - names - {"seen"}:
            del self.fields[name]


class ItemEditForm(ItemForm):
    state = forms.ChoiceField(label=_("State"), choices=ItemState.choices)


class ReviewRuleForm(SeenForm):
    """A rule that requires reviews; its serializer judges the values."""

    name = forms.CharField(label=_("Name"), max_length=100)
    min_severity = forms.ChoiceField(label=_("Severity from"), choices=SEVERITY_WORDS, initial="critical")
    team = ActiveRowField(Team, blank=_("Any team"), label=_("Team"))
    within_days = forms.IntegerField(
        label=_("Days to complete"),
        min_value=1,
        max_value=365,
        initial=5,
        help_text=_("Counted from when the incident is resolved."),
    )
    is_enabled = forms.BooleanField(label=_("Enabled"), required=False, initial=True)

    def as_api(self) -> dict[str, Any]:
        """Return the form as the API takes it."""
        given = self.cleaned_data
        return {**given, "team": int(given["team"]) if given["team"] else None}
