"""Pages for people who cannot sign in, and targets of mailed links."""

from abc import ABC, abstractmethod
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, gettext, gettext_lazy
from django.views import View
from django.views.decorators.cache import never_cache

from core.errors import DomainError
from users import services
from users.throttling import AddressRate


class AddressForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)


class RegistrationForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("At least ten characters; several words are easy to remember."),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class NewPasswordForm(forms.Form):
    uid = forms.CharField(max_length=64, widget=forms.HiddenInput)
    token = forms.CharField(max_length=200, widget=forms.HiddenInput)
    new_password = forms.CharField(
        max_length=256, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )


class FirstPasswordForm(forms.Form):
    token = forms.CharField(max_length=2000, widget=forms.HiddenInput)
    new_password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class ConfirmationForm(forms.Form):
    token = forms.CharField(max_length=2000, widget=forms.HiddenInput)


@method_decorator(never_cache, name="dispatch")
class FormPage(ABC, View):
    """One form; only its button acts, since mail scanners open links."""

    form_class: type[forms.Form]
    title: Any
    button: Any
    done: Any
    throttle_scope: str

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            self.refuse_spent(request.GET.dict())
        except DomainError as error:
            return self._show(request, self.form_class(), refusal=error.message, status=error.status)
        return self._show(request, self.form_class(initial=request.GET.dict()))

    def post(self, request: HttpRequest) -> HttpResponse:
        rate, form = AddressRate(), self.form_class(request.POST)
        if not rate.allow_request(request, self):
            form.full_clean()
            form.add_error(None, gettext("Too many attempts; try again later."))
            answer = self._show(request, form, status=429)
            answer["Retry-After"] = str(int(rate.wait() or 1))
            return answer
        status = 400
        if form.is_valid():
            try:
                self.act(form.cleaned_data)
            except DomainError as error:
                shown = {field.name for field in form.visible_fields()}
                form.add_error(error.field if error.field in shown else None, error.message)
                status = error.status
        return self._show(request, form, is_done=not form.errors, status=status if form.errors else 200)

    def refuse_spent(self, values: dict[str, str]) -> None:
        """Raise DomainError for a dead link."""

    @abstractmethod
    def act(self, values: dict[str, Any]) -> None:
        """Do what the button says. Raises DomainError."""

    def _show(
        self, request: HttpRequest, form: forms.Form, *, is_done: bool = False, refusal: str = "", status: int = 200
    ) -> HttpResponse:
        context = {"page": self, "form": form, "is_done": is_done, "refusal": refusal}
        return render(request, "users/form.html", context, status=status)


class RegistrationPage(FormPage):
    form_class = RegistrationForm
    title = gettext_lazy("Register")
    button = gettext_lazy("Register")
    done = gettext_lazy(
        "If this address had no account, yours is ready: sign in with it. A mail to this address tells you more."
    )
    throttle_scope = "register"

    def refuse_spent(self, values: dict[str, str]) -> None:
        services.refuse_closed()

    def act(self, values: dict[str, Any]) -> None:
        services.register_or_tell(**values, language=get_language() or "")


class ForgottenPasswordPage(FormPage):
    form_class = AddressForm
    title = gettext_lazy("Forgotten password")
    button = gettext_lazy("Email me a link")
    done = gettext_lazy("If an account with this address exists, an email is on its way.")
    throttle_scope = "password_reset"

    def act(self, values: dict[str, Any]) -> None:
        services.request_password_reset(email=values["email"])


class NewPasswordPage(FormPage):
    form_class = NewPasswordForm
    title = gettext_lazy("Choose a new password")
    button = gettext_lazy("Set password")
    done = gettext_lazy(
        "Your password is set. You were signed out everywhere, and your personal access tokens ended. "
        "You can sign in with it now."
    )
    throttle_scope = "password_reset_confirm"

    def refuse_spent(self, values: dict[str, str]) -> None:
        if "token" in values:
            services.check_reset(uid=values.get("uid", ""), token=values["token"])

    def act(self, values: dict[str, Any]) -> None:
        services.reset_password(uid=values["uid"], token=values["token"], new=values["new_password"])


class InvitationPage(FormPage):
    form_class = FirstPasswordForm
    title = gettext_lazy("Choose your password")
    button = gettext_lazy("Set password")
    done = gettext_lazy("Your password is set. You can sign in with it now.")
    throttle_scope = "invitation"

    def refuse_spent(self, values: dict[str, str]) -> None:
        if "token" in values:
            services.check_invitation(token=values["token"])

    def act(self, values: dict[str, Any]) -> None:
        services.accept_invitation(token=values["token"], new=values["new_password"])


class VerifyEmailPage(FormPage):
    form_class = ConfirmationForm
    title = gettext_lazy("Verify your email address")
    button = gettext_lazy("This address is mine")
    done = gettext_lazy("Thank you, your address is confirmed.")
    throttle_scope = "verify_email"

    def act(self, values: dict[str, Any]) -> None:
        services.verify_email(values["token"])
