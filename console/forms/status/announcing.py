"""Forms of what the public is told; services judge the values."""

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from console.forms.fields import MomentField
from console.forms.status.texts import TextsForm, initial_texts
from core.severity import Severity
from status_page.models import Component, PublicIncident, PublicUpdate, UpdateTemplate
from status_page.services.checking import MESSAGE, TITLE
from status_page.vocabulary import STATES, Impact, Kind, State

IMPACTS = [(one.value, one.label) for one in reversed(Impact) if one != Impact.MAINTENANCE]
MAIN_ONLY = _("Empty: a sentence that says so is published in each language.")
IMPACT_OF = {
    Severity.CRITICAL: Impact.MAJOR_OUTAGE,
    Severity.HIGH: Impact.PARTIAL_OUTAGE,
    Severity.MEDIUM: Impact.DEGRADED,
    Severity.LOW: Impact.DEGRADED,
}


class ComponentsWidget(forms.CheckboxSelectMultiple):
    """Check boxes in a field set per group."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        context = self.get_context(name, value, attrs)
        groups = [(label, options) for label, options, _index in context["widget"]["optgroups"]]
        return render_to_string("console/status/_component_choices.html", {"groups": _joined(groups)})


def _joined(groups: Iterable[tuple[Any, list[Any]]]) -> list[tuple[Any, list[Any]]]:
    """Return groups with those without a label in one."""
    found: list[tuple[Any, list[Any]]] = []
    for label, options in groups:
        if found and found[-1][0] == label:
            found[-1][1].extend(options)
        else:
            found.append((label, list(options)))
    return found


class ComponentsField(forms.TypedMultipleChoiceField):
    """Components of the page, by group."""

    widget = ComponentsWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, coerce=int, label=_("Affected components"), **options)

    def offer(self, components: Iterable[Component]) -> None:
        """Offer these, in their order."""
        choices: list[Any] = []
        for one in components:
            name = one.group.name if one.group else None
            if name is None:
                choices.append((one.pk, one.name))
            elif choices and choices[-1][0] == name and isinstance(choices[-1][1], list):
                choices[-1][1].append((one.pk, one.name))
            else:
                choices.append((name, [(one.pk, one.name)]))
        self.choices = choices


class AnnouncingForm(TextsForm):
    """What publishing and planning have in common."""

    title = forms.CharField(label=_("Title"), max_length=TITLE["title"])
    message = forms.CharField(
        label=_("Message"),
        max_length=MESSAGE["message"],
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What people notice, and what they can do. Markdown works."),
    )
    components = ComponentsField()
    tell = forms.BooleanField(label=_("Tell subscribers by email"), required=False, initial=True)
    client_uid = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, components: Iterable[Component], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["components"].offer(components)  # type: ignore[attr-defined]
        self._name_languages()

    def as_service(self) -> dict[str, Any]:
        """Return the values as the services take them."""
        given = self.cleaned_data
        names = [name for name in given if name in ("title", "message", "components", "tell", *self.own)]
        return {**{name: given[name] for name in names}, "translations": self.translations()}

    own: tuple[str, ...] = ()


class PublishForm(AnnouncingForm):
    """An incident to publish."""

    own = ("impact", "state", "starts_at")
    impact = forms.ChoiceField(label=_("Impact"), choices=IMPACTS, initial=Impact.DEGRADED)
    state = forms.ChoiceField(
        label=_("State"),
        choices=[(one.value, one.label) for one in STATES[Kind.INCIDENT]],
        initial=State.INVESTIGATING,
    )
    starts_at = MomentField(label=_("Began"), required=False, help_text=_("Empty: now."))


class PlanForm(AnnouncingForm):
    """Maintenance to plan."""

    own = ("starts_at", "ends_at")
    starts_at = MomentField(label=_("Begins"))
    ends_at = MomentField(label=_("Ends"))


class VersionedForm(TextsForm):
    """A form that knows which version was seen when it was opened."""

    seen = forms.IntegerField(required=False, min_value=1, max_value=2**31, widget=forms.HiddenInput)

    def version(self) -> int | None:
        seen: int | None = self.cleaned_data.get("seen")
        return seen

    def see(self, version: int) -> None:
        """Let the next try replace what is stored by now."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict's
        data[self.add_prefix("seen")] = str(version)
        self.data = data


class PublicUpdateForm(VersionedForm):
    """An update to the public."""

    texts = ("message",)
    state = forms.ChoiceField(label=_("State"))
    message = forms.CharField(
        label=_("Message"),
        max_length=MESSAGE["message"],
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What is new for people. Markdown works."),
    )
    impact = forms.ChoiceField(label=_("Impact"), choices=IMPACTS, required=False)
    components = ComponentsField()
    has_details = forms.BooleanField(required=False, widget=forms.HiddenInput, initial=True)
    tell = forms.BooleanField(label=_("Tell subscribers by email"), required=False, initial=True)
    client_uid = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, announcement: PublicIncident, components: Collection[Component], **kwargs: Any
    ) -> None:
        present = [one.pk for one in announcement.components.all()]
        begins = {
            "state": announcement.state,
            "impact": announcement.impact,
            "components": present,
            "seen": announcement.version,
        }
        kwargs["initial"] = {**begins, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        self.announcement, self.present = announcement, present
        self.fields["state"].choices = [(one.value, one.label) for one in states_of(announcement)]  # type: ignore[attr-defined]
        self.fields["components"].offer(components)  # type: ignore[attr-defined]
        if announcement.kind == Kind.MAINTENANCE:
            del self.fields["impact"]
        self._name_languages()

    def as_service(self) -> dict[str, Any]:
        """Return the values as the service takes them, without what stays as it was shown."""
        given = self.cleaned_data
        values = {name: given[name] for name in ("message", "state", "tell")}
        if given.get("has_details"):
            if given.get("impact") and given["impact"] != self.announcement.impact:
                values["impact"] = given["impact"]
            if set(given["components"]) != set(self.present):
                values["components"] = given["components"]
        return {**values, "translations": self.translations(), "expected_version": self.version()}


class CorrectionForm(VersionedForm):
    """Another text for an update."""

    texts = ("message",)
    message = forms.CharField(
        label=_("Message"), max_length=MESSAGE["message"], widget=forms.Textarea(attrs={"rows": 5})
    )

    def __init__(self, *args: Any, update: PublicUpdate, **kwargs: Any) -> None:
        begins = {"message": update.message, "seen": update.version}
        kwargs["initial"] = {**begins, **initial_texts(update.translations, self.texts)}
        super().__init__(*args, **kwargs)
        self._name_languages()

    def as_service(self) -> dict[str, Any]:
        return {
            "message": self.cleaned_data["message"],
            "translations": self.translations(),
            "expected_version": self.version(),
        }


class EditForm(VersionedForm):
    """Title, impact and components of an announcement, as if they had been so from the start."""

    texts = ("title",)
    title = forms.CharField(label=_("Title"), max_length=TITLE["title"])
    impact = forms.ChoiceField(label=_("Impact"), choices=IMPACTS)
    components = ComponentsField()

    def __init__(
        self, *args: Any, announcement: PublicIncident, components: Collection[Component], **kwargs: Any
    ) -> None:
        kwargs["initial"] = {
            "title": announcement.title,
            "impact": announcement.impact,
            "components": [one.pk for one in announcement.components.all()],
            "seen": announcement.version,
            **initial_texts(announcement.translations, self.texts),
        }
        super().__init__(*args, **kwargs)
        self.fields["components"].offer(components)  # type: ignore[attr-defined]
        if announcement.kind == Kind.MAINTENANCE:
            del self.fields["impact"]
        self._name_languages()

    def changes(self) -> dict[str, Any]:
        """Return the changes as the service takes them, without what stays."""
        given = self.cleaned_data
        changed: dict[str, Any] = {
            name: given[name] for name in ("title", "impact") if name in self.changed_data and name in given
        }
        if set(given["components"]) != set(self.initial["components"]):
            changed["components"] = given["components"]
        return {**changed, "translations": self.translations()}


class MoveForm(VersionedForm):
    """New times for maintenance."""

    texts = ("message",)
    starts_at = MomentField(label=_("Begins"), required=False)
    ends_at = MomentField(label=_("Ends"))
    message = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=MESSAGE["message"],
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=MAIN_ONLY,
    )
    tell = forms.BooleanField(label=_("Tell subscribers by email"), required=False, initial=True)

    def __init__(self, *args: Any, announcement: PublicIncident, **kwargs: Any) -> None:
        kwargs["initial"] = {
            "starts_at": announcement.starts_at,
            "ends_at": announcement.ends_at,
            "seen": announcement.version,
        }
        super().__init__(*args, **kwargs)
        if announcement.state != State.SCHEDULED:
            del self.fields["starts_at"]
        self._name_languages()

    def as_service(self) -> dict[str, Any]:
        """Return the values as the service takes them; times that were not edited stay to the second."""
        given = self.cleaned_data
        times: dict[str, Any] = {
            name: given[name] for name in ("starts_at", "ends_at") if name in self.changed_data and name in given
        }
        return {
            **times,
            "message": given["message"],
            "tell": given["tell"],
            "translations": self.translations(),
            "expected_version": self.version(),
        }


def states_of(announcement: PublicIncident) -> tuple[State, ...]:
    """Return the states that an update may give."""
    states = STATES[Kind(announcement.kind)]
    return states[states.index(State(announcement.state)) :] if announcement.kind == Kind.MAINTENANCE else states


def filled_from(template: UpdateTemplate) -> dict[str, Any]:
    """Return a template's texts as a form begins with them; what it leaves open is not there."""
    texts = {"title": template.title, "message": template.message, "state": template.state}
    both = {**texts, **initial_texts(template.translations, ("title", "message"))}
    return {name: text for name, text in both.items() if text}
