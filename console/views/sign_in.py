from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
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
from users.services import entering, second_factors, security_keys
from users.throttling import refuse_flood


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
    if request.method != "POST" or not form.is_valid():
        return _ask_password(request, form, wanted, 400 if form.errors else 200)
    try:
        user = entering.begin(request, next=wanted, **form.cleaned_data)
    except DomainError as error:
        form.add_error(None, error.message)
        return _with_wait(_ask_password(request, form, wanted, error.status), error)
    if user is None:
        return HttpResponseRedirect(reverse("console:sign-in-code"))
    return HttpResponseRedirect(landing(request, user, wanted))


def _ask_password(
    request: HttpRequest, form: PasswordForm, wanted: str, status: int = 200, *, key_problem: str = ""
) -> HttpResponse:
    context = {
        "form": form,
        "next": wanted,
        "registration_open": settings.REGISTRATION_OPEN,
        "keys_are_possible": security_keys.is_possible(request),
        "key_problem": key_problem,
        "providers": settings.OIDC_PROVIDERS.values(),
    }
    return show(request, "console/sign_in/password.html", context, status=status)


def _with_wait(response: HttpResponse, error: DomainError) -> HttpResponse:
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


@never_cache
def sign_in_code(request: HttpRequest) -> HttpResponse:
    waiting = entering.pending(request)
    if waiting is None:
        return HttpResponseRedirect(reverse("console:sign-in"))
    form = CodeForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _ask_factor(request, form, waiting, 400 if form.errors else 200)
    try:
        user = entering.confirm(request, waiting, code=form.cleaned_data["code"])
    except DomainError as error:
        form.add_error(None, error.message)
        return _with_wait(_ask_factor(request, form, waiting, error.status), error)
    return HttpResponseRedirect(landing(request, user, waiting.next))


def _ask_factor(request: HttpRequest, form: CodeForm, waiting: entering.Pending, status: int) -> HttpResponse:
    context = {
        "form": form,
        "has_app": second_factors.has_app(waiting.user),
        "has_keys": security_keys.keys_here(request, waiting.user).exists(),
    }
    return show(request, "console/sign_in/code.html", context, status=status)


@never_cache
@require_POST
def sign_in_key(request: HttpRequest) -> HttpResponse:
    waiting = entering.pending(request)
    if waiting is None:
        return HttpResponseRedirect(reverse("console:sign-in"))
    try:
        user = entering.confirm_by_key(request, waiting, response=request.POST.get("credential", ""))
    except DomainError as error:
        form = CodeForm({"code": "-"})
        form.add_error(None, error.message)
        return _with_wait(_ask_factor(request, form, waiting, error.status), error)
    return HttpResponseRedirect(landing(request, user, waiting.next))


@never_cache
@require_POST
def sign_in_key_options(request: HttpRequest) -> HttpResponse:
    waiting = entering.pending(request)
    if waiting is None:
        return JsonResponse({"detail": _("Too much time has passed; sign in again.")}, status=401)
    return JsonResponse(security_keys.begin_asking(request, waiting.user))


@never_cache
@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("next", "")
    try:
        user = entering.enter_by_passkey(request, response=request.POST.get("credential", ""))
    except DomainError as error:
        refused = _ask_password(request, PasswordForm(), wanted, error.status, key_problem=error.message)
        return _with_wait(refused, error)
    return HttpResponseRedirect(landing(request, user, wanted))


@never_cache
@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    try:
        refuse_flood(request, "sign_in_start")
    except DomainError as error:
        return _with_wait(JsonResponse({"detail": error.message}, status=error.status), error)
    return JsonResponse(security_keys.begin_asking(request, None))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        entering.leave(request)
        say(request, _("You are signed out."))
    return HttpResponseRedirect(reverse("console:sign-in"))


urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-in/code/", sign_in_code, name="sign-in-code"),
    path("sign-in/key/", sign_in_key, name="sign-in-key"),
    path("sign-in/key/options/", sign_in_key_options, name="sign-in-key-options"),
    path("sign-in/passkey/", passkey, name="sign-in-passkey"),
    path("sign-in/passkey/options/", passkey_options, name="sign-in-passkey-options"),
    path("sign-out/", sign_out, name="sign-out"),
    path("register/", RegistrationPage.as_view(), name="register"),
]
