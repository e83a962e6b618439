"""Forms of the page itself, its components and templates; services judge the values."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from console.forms.fields import ActiveRowField
from console.forms.seen import SeenForm
from console.forms.status.texts import TextsForm, initial_texts, language_name
from responders.models import Service
from status_page.models import Component, ComponentGroup, StatusPage, UpdateTemplate
from status_page.services.checking import COMPONENT_TEXTS, MESSAGE, PAGE_TEXTS, TITLE
from status_page.services.page import MAX_UPLOAD_BYTES, languages_of
from status_page.vocabulary import STATES, Kind

NO_GROUP = ("", _("None"))
FEWEST_LANGUAGES = 3  # places for languages
AS_CHOSEN = ("", _("As chosen then"))


class ArrangingForm(TextsForm, SeenForm):
    """A stored row with texts in several languages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name_languages()


class ComponentForm(ArrangingForm):
    """Something whose state the public is told."""

    texts = ("name", "description")
    name = forms.CharField(
        label=_("Name"), max_length=COMPONENT_TEXTS["name"], help_text=_("As visitors know it, not as we call it.")
    )
    description = forms.CharField(label=_("Description"), max_length=COMPONENT_TEXTS["description"], required=False)
    group = forms.ChoiceField(label=_("Group"), required=False)
    new_group = forms.CharField(label=_("or a new group"), max_length=100, required=False)
    service = ActiveRowField(
        Service,
        blank=_("None"),
        label=_("Service"),
        help_text=_("The component is proposed when an incident of this service is published."),
    )
    shows_uptime = forms.BooleanField(label=_("Show bars of 90 days"), required=False, initial=True)
    is_active = forms.BooleanField(
        label=_("On the page"), required=False, initial=True, help_text=_("Off keeps its history, and hides it.")
    )

    def __init__(self, *args: Any, groups: Sequence[ComponentGroup], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = {group.pk: group for group in groups}
        self.fields["group"].choices = [NO_GROUP, *((pk, group.name) for pk, group in self.groups.items())]  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return the values as the service takes them."""
        given = self.cleaned_data
        chosen = self.groups.get(int(given["group"])) if given["group"] else None
        number = given["service"]
        return {
            **{name: given[name] for name in ("name", "description", "shows_uptime", "is_active")},
            "group": given["new_group"].strip() or chosen,
            "service": Service.objects.filter(pk=number).first() if number else None,
            "translations": self.translations(),
        }


class GroupForm(ArrangingForm):
    """Components that belong together."""

    texts = ("name",)
    name = forms.CharField(label=_("Name"), max_length=COMPONENT_TEXTS["name"])

    def values(self) -> dict[str, Any]:
        return {"name": self.cleaned_data["name"], "translations": self.translations()}


class TemplateForm(ArrangingForm):
    """A text to begin an announcement with."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("For us; the public never sees it."))
    kind = forms.ChoiceField(label=_("For"), choices=Kind.choices)
    state = forms.ChoiceField(
        label=_("State"),
        choices=[AS_CHOSEN, *((one.value, one.label) for one in STATES[Kind.INCIDENT])],
        required=False,
        help_text=_("For incidents only."),
    )
    title = forms.CharField(label=_("Title"), max_length=TITLE["title"], required=False)
    message = forms.CharField(
        label=_("Message"), max_length=MESSAGE["message"], required=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    def values(self) -> dict[str, Any]:
        names = ("name", "kind", "state", "title", "message")
        return {**{name: self.cleaned_data[name] for name in names}, "translations": self.translations()}


class PageForm(ArrangingForm):
    """How the page presents itself."""

    texts = ("name", "about")
    name = forms.CharField(label=_("Name"), max_length=PAGE_TEXTS["name"])
    about = forms.CharField(
        label=_("Introduction"),
        max_length=PAGE_TEXTS["about"],
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Stands above the components. Markdown works."),
    )
    support_url = forms.URLField(label=_("Where to get help"), max_length=500, required=False, assume_scheme="https")
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        help_text=_("Days of the bars begin at midnight there, and times are shown in it."),
    )
    takes_subscribers = forms.BooleanField(label=_("Take subscriptions by email"), required=False)
    is_private = forms.BooleanField(
        label=_("Private"),
        required=False,
        help_text=_("Only who has the key, or is signed in here, can open the page."),
    )

    def __init__(self, *args: Any, places: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = dict.fromkeys([*(code for code, _name in settings.LANGUAGES), *self.languages])
        choices = [(code, language_name(code)) for code in offered]
        self.places = [f"language_{place}" for place in range(places)]
        for place, name in enumerate(self.places):
            self.fields[name] = forms.ChoiceField(
                label=_("Main language") if place == 0 else _("Further language"),
                choices=choices if place == 0 else [("", _("None")), *choices],
                required=place == 0,
            )

    @property
    def language_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.places]

    def values(self) -> dict[str, Any]:
        """Return the values as the service takes them; texts of a language that leaves go with it."""
        names = ("name", "about", "support_url", "time_zone", "takes_subscribers", "is_private")
        given = self.cleaned_data
        languages = list(dict.fromkeys(given[name] for name in self.places if given[name]))
        kept = {code: texts for code, texts in self.translations().items() if code in languages[1:]}
        return {**{name: given[name] for name in names}, "languages": languages, "translations": kept}


class LogoForm(forms.Form):
    logo = forms.FileField(
        label=_("Picture"),
        help_text=_("PNG, JPEG, WebP or GIF; it is made to fit into 480 × 160 pixels."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp,image/gif"}),
    )

    def data_given(self) -> bytes:
        """Return what was sent, as far as the service looks at it."""
        data: bytes = self.cleaned_data["logo"].read(MAX_UPLOAD_BYTES + 1)
        return data


def component_initial(component: Component) -> dict[str, Any]:
    names = ("name", "description", "shows_uptime", "is_active")
    return {
        **{name: getattr(component, name) for name in names},
        "group": component.group_id or "",
        "service": component.service_id or "",
        **initial_texts(component.translations, ComponentForm.texts),
    }


def group_initial(group: ComponentGroup) -> dict[str, Any]:
    return {"name": group.name, **initial_texts(group.translations, GroupForm.texts)}


def template_initial(template: UpdateTemplate) -> dict[str, Any]:
    names = ("name", "kind", "state", "title", "message")
    return {
        **{name: getattr(template, name) for name in names},
        **initial_texts(template.translations, TemplateForm.texts),
    }


def page_initial(page: StatusPage) -> dict[str, Any]:
    names = ("name", "about", "support_url", "time_zone", "takes_subscribers", "is_private")
    return {
        **{name: getattr(page, name) for name in names},
        **{f"language_{place}": code for place, code in enumerate(languages_of(page))},
        **initial_texts(page.translations, PageForm.texts),
    }


def places_of(page: StatusPage) -> int:
    """Return how many languages the form has room for."""
    return max(FEWEST_LANGUAGES, len(languages_of(page)) + 1)
