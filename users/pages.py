"""Pages for people who cannot sign in, and targets of mailed links."""

from abc import ABC, abstractmethod
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from core.errors import DomainError
from users import services
from users.throttling import AddressRate


class AddressForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)


class NewPasswordForm(forms.Form):
    uid = forms.CharField(max_length=64, widget=forms.HiddenInput)
    token = forms.CharField(max_length=200, widget=forms.HiddenInput)
    new_password = forms.CharField(
        max_length=256, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )


class FirstPasswordForm(forms.Form):
    token = forms.CharField(max_length=2000, widget=forms.HiddenInput)
    new_password = forms.CharField(
        label="Password",
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
    title: str
    button: str
    done: str
    throttle_scope: str

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            self.refuse_spent(request.GET.dict())
        except DomainError as error:
            return self._show(request, self.form_class(), refusal=error.message, status=400)
        return self._show(request, self.form_class(initial=request.GET.dict()))

    def post(self, request: HttpRequest) -> HttpResponse:
        rate, form = AddressRate(), self.form_class(request.POST)
        if not rate.allow_request(request, self):
            form.full_clean()
            form.add_error(None, "Too many attempts; try again later.")
            answer = self._show(request, form, status=429)
            answer["Retry-After"] = str(int(rate.wait() or 1))
            return answer
        if form.is_valid():
            try:
                self.act(form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.message)
        return self._show(request, form, is_done=not form.errors, status=400 if form.errors else 200)

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


class ForgottenPasswordPage(FormPage):
    form_class = AddressForm
    title = "Forgotten password"
    button = "Email me a link"
    done = "If an account with this address exists, an email is on its way."
    throttle_scope = "password_reset"

    def act(self, values: dict[str, Any]) -> None:
        services.request_password_reset(email=values["email"])


class NewPasswordPage(FormPage):
    form_class = NewPasswordForm
    title = "Choose a new password"
    button = "Set password"
    done = (
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
    title = "Choose your password"
    button = "Set password"
    done = "Your password is set. You can sign in with it now."
    throttle_scope = "invitation"

    def refuse_spent(self, values: dict[str, str]) -> None:
        if "token" in values:
            services.check_invitation(token=values["token"])

    def act(self, values: dict[str, Any]) -> None:
        services.accept_invitation(token=values["token"], new=values["new_password"])


class VerifyEmailPage(FormPage):
    form_class = ConfirmationForm
    title = "Verify your email address"
    button = "This address is mine"
    done = "Thank you, your address is confirmed."
    throttle_scope = "verify_email"

    def act(self, values: dict[str, Any]) -> None:
        services.verify_email(values["token"])
