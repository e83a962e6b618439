from typing import Any

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import UnfoldBooleanSwitchWidget

from core.errors import TooManyRequests
from users import audit
from users.services.sessions import confirm_password, end_access


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold is untyped
    """Says why somebody may not enter, once the password was right."""

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not getattr(user, "is_staff", False):
            raise ValidationError(
                "Reporter accounts cannot use the back office. Ask an administrator if you need access.",
                code="not_staff",
            )


class OwnPasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """Changes one's password, ending API sessions and tokens."""

    keep_tokens = forms.BooleanField(
        label="Keep my personal access tokens",
        required=False,
        help_text="Without it they end, as your sessions over the API do.",
        widget=UnfoldBooleanSwitchWidget,
    )

    def clean_old_password(self) -> str:
        """Count a wrong password as a failed sign-in."""
        old = str(self.cleaned_data["old_password"])
        try:
            is_right = confirm_password(self.user, old)
        except TooManyRequests as error:
            raise ValidationError(error.message, code=error.code) from error
        if not is_right:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old

    def save(self, commit: bool = True) -> Any:
        with transaction.atomic():
            user = super().save(commit)
            end_access(user, reason="password_changed", keep_tokens=self.cleaned_data["keep_tokens"])
            audit.record(user, "password_changed")
        return user
