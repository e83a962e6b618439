from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from console.landing import landing
from console.pages import person, say, show
from core.errors import DomainError
from users.pages import RegistrationPage
from users.services import entering


class PasswordForm(forms.Form):
    email = forms.CharField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if request.user.is_authenticated:
        return HttpResponseRedirect(landing(request, person(request), wanted))
    form = PasswordForm(request.POST or None, initial={"email": request.GET.get("email", "")})
    context = {"form": form, "next": wanted, "registration_open": settings.REGISTRATION_OPEN}
    if request.method != "POST" or not form.is_valid():
        return show(request, "console/sign_in/password.html", context, status=400 if form.errors else 200)
    try:
        user = entering.begin(request, next=wanted, **form.cleaned_data)
    except DomainError as error:
        return _refused(request, "console/sign_in/password.html", context, error)
    if user is None:
        return HttpResponseRedirect(reverse("console:sign-in-code"))
    return HttpResponseRedirect(landing(request, user, wanted))


@never_cache
def sign_in_code(request: HttpRequest) -> HttpResponse:
    waiting = entering.pending(request)
    if waiting is None:
        return HttpResponseRedirect(reverse("console:sign-in"))
    form = CodeForm(request.POST or None)
    context = {"form": form}
    if request.method != "POST" or not form.is_valid():
        return show(request, "console/sign_in/code.html", context, status=400 if form.errors else 200)
    try:
        user = entering.confirm(request, waiting, code=form.cleaned_data["code"])
    except DomainError as error:
        return _refused(request, "console/sign_in/code.html", context, error)
    return HttpResponseRedirect(landing(request, user, waiting.next))


def _refused(request: HttpRequest, template: str, context: dict[str, Any], error: DomainError) -> HttpResponse:
    context["form"].add_error(None, error.message)
    response = show(request, template, context, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        entering.leave(request)
        say(request, _("You are signed out."))
    return HttpResponseRedirect(reverse("console:sign-in"))


urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-in/code/", sign_in_code, name="sign-in-code"),
    path("sign-out/", sign_out, name="sign-out"),
    path("register/", RegistrationPage.as_view(), name="register"),
]
