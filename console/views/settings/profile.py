from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from console import preferences
from console.models import Density, Theme
from console.pages import page, person, say, show
from core.errors import DomainError
from core.text.languages import reading, spoken
from users.models import User
from users.services import edit_profile


class ProfileForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Type a city, such as Zurich. Times on all pages are in this zone, UTC beside them."),
        max_length=64,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)


class AppearanceForm(forms.Form):
    theme = forms.ChoiceField(label=gettext_lazy("Colours"), choices=Theme.choices, widget=forms.RadioSelect)
    density = forms.ChoiceField(label=gettext_lazy("Rows of lists"), choices=Density.choices, widget=forms.RadioSelect)
    has_shortcuts = forms.BooleanField(
        label=gettext_lazy("Keyboard shortcuts"),
        help_text=gettext_lazy(
            "Single keys act on lists and incidents; ? lists them. Switch them off if they get in the way."
        ),
        required=False,
    )


def profile_form(user: User) -> ProfileForm:
    return ProfileForm(initial={"name": user.name, "time_zone": user.time_zone, "language": spoken(user.language)})


def appearance_form(user: User) -> AppearanceForm:
    chosen = preferences.of(user)
    return AppearanceForm(initial={name: getattr(chosen, name) for name in AppearanceForm.base_fields})


@page
def overview(request: HttpRequest) -> HttpResponse:
    me = person(request)
    form = ProfileForm(request.POST) if request.method == "POST" else profile_form(me)
    if request.method == "POST" and form.is_valid():
        try:
            edit_profile(me, **form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field, error.message)
        else:
            with reading(form.cleaned_data["language"]):
                say(request, _("Saved."))
            return HttpResponseRedirect(reverse("console:settings"))
    context = {"form": form, "appearance": appearance_form(me), "zones": sorted(available_timezones())}
    return show(request, "console/settings/profile.html", context, status=400 if form.errors else 200)


@page
@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    form = AppearanceForm(request.POST)
    if not form.is_valid():
        raise DomainError(_("This is none of the choices."))
    preferences.set_preferences(person(request), **form.cleaned_data)
    say(request, _("Saved."))
    return HttpResponseRedirect(reverse("console:settings"))


urlpatterns = [
    path("settings/", overview, name="settings"),
    path("settings/appearance/", appearance, name="settings-appearance"),
]
