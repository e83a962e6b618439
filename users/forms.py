"""Signing in to the admin site, and changing the own password there."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm

from users import audit
from users.services.sessions import end_sessions


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold is untyped
    """The admin's sign-in; somebody who may not enter is told so, once the password was right."""

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        """Let responders and administrators in."""
        if not getattr(user, "is_staff", False):
            raise ValidationError(
                "Your account reports incidents; these pages are for responders and administrators. "
                "Ask an administrator if you need them.",
                code="not_staff",
            )


class OwnPasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """A new password for oneself; it ends the person's sessions over the API, as a change there does."""

    def save(self, commit: bool = True) -> Any:
        """Store the password."""
        with transaction.atomic():
            user = super().save(commit)
            end_sessions(user, reason="password_changed")
            audit.record(user, "password_changed")
        return user
