from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import select_template
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from console.pages import page, person, say, show
from console.views.settings.rules import rules_of
from core.errors import DomainError
from notifications.channels.port import Channel, all_channels, channel_of
from notifications.models import ContactMethod
from notifications.services import methods
from notifications.views.contacts import own_method
from users.models import User

PUSH = "push"  # added by the browser itself
PUSH_TEMPLATES = ["console/settings/_push.html", "console/settings/_push_missing.html"]


class MethodForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Kind"))
    address = forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy(
            "An e-mail address, a telephone number with country code, or an https address. Chats need none."
        ),
        max_length=1000,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    label = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What you call it, such as work phone. Optional."),
        max_length=100,
        required=False,
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        kinds = [(channel.kind, channel.label) for channel in offered(user)]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]


def offered(user: User) -> list[Channel]:
    """Return the channels that this person can add an address on now."""
    return [
        channel
        for channel in all_channels()
        if channel.is_personal
        and channel.kind != PUSH
        and (user.is_staff or not channel.is_for_staff)
        and not channel.why_unusable()
    ]


def _contacts(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    me = person(request)
    rows = list(ContactMethod.objects.filter(user=me).order_by("id"))
    context = {
        "rows": [(row, channel_of(row.kind)) for row in rows],
        "form": MethodForm(user=me),
        "rules": rules_of(me, rows),
        "has_verified": any(row.is_verified for row in rows),
        "push_template": select_template(PUSH_TEMPLATES),
        **more,
    }
    return show(request, "console/settings/contacts.html", context, status=status)


@page
def contacts(request: HttpRequest) -> HttpResponse:
    return _contacts(request)


@page
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    form = MethodForm(request.POST, user=person(request))
    if not form.is_valid():
        return _contacts(request, 400, form=form)
    try:
        added = methods.add_method(person(request), **form.cleaned_data)
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return _contacts(request, error.status, form=form)
    if added.code or added.secret:
        return _contacts(request, added=added, channel=channel_of(added.method.kind))
    if added.method.is_verified:
        say(request, _("Added."))
    else:
        say(request, _("Added. A code is on its way there; type it in below."))
    return HttpResponseRedirect(reverse("console:settings-contacts"))


def _acting(act: Callable[[HttpRequest, ContactMethod], str]) -> Any:
    @page
    @require_POST
    def view(request: HttpRequest, method_id: int) -> HttpResponse:
        method = own_method(request, str(method_id))  # type: ignore[arg-type]  # it asks for the user alone
        try:
            sentence = act(request, method)
        except DomainError as error:
            return _contacts(request, error.status, problem=error.message, problem_of=method.pk)
        say(request, sentence)
        return HttpResponseRedirect(reverse("console:settings-contacts"))

    return view


def _verify(request: HttpRequest, method: ContactMethod) -> str:
    methods.verify(method, request.POST.get("code", "")[:32])
    return _("Verified: you can be reached here.")


def _send_code(request: HttpRequest, method: ContactMethod) -> str:
    methods.send_code(method)
    return _("A new code is on its way.")


def _test(request: HttpRequest, method: ContactMethod) -> str:
    methods.send_test(method)
    return _("A test message is on its way.")


def _rename(request: HttpRequest, method: ContactMethod) -> str:
    methods.rename(method, " ".join(request.POST.get("label", "").split())[:100])
    return _("Saved.")


def _remove(request: HttpRequest, method: ContactMethod) -> str:
    methods.remove_method(method)
    return _("Removed.")


@page
@require_POST
def link(request: HttpRequest) -> HttpResponse:
    try:
        methods.accept_link_code(person(request), request.POST.get("code", "")[:32])
    except DomainError as error:
        return _contacts(request, error.status, link_problem=error.message)
    say(request, _("Linked: you can be reached in this chat."))
    return HttpResponseRedirect(reverse("console:settings-contacts"))


urlpatterns = [
    path("settings/contacts/", contacts, name="settings-contacts"),
    path("settings/contacts/add/", add, name="contact-add"),
    path("settings/contacts/link/", link, name="contact-link"),
    path("settings/contacts/<int:method_id>/verify/", _acting(_verify), name="contact-verify"),
    path("settings/contacts/<int:method_id>/code/", _acting(_send_code), name="contact-code"),
    path("settings/contacts/<int:method_id>/test/", _acting(_test), name="contact-test"),
    path("settings/contacts/<int:method_id>/rename/", _acting(_rename), name="contact-rename"),
    path("settings/contacts/<int:method_id>/remove/", _acting(_remove), name="contact-remove"),
]
