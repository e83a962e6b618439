"""Judge whether a password is good enough."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from core.errors import DomainError
from users.models import User


class WeakPassword(DomainError):
    """The password breaks a rule of AUTH_PASSWORD_VALIDATORS; the message says which."""

    code = "weak_password"


def refuse_weak_password(password: str, user: User, *, field: str) -> None:
    """Raise WeakPassword, naming the request's field, unless the password will do for this user."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), field=field) from error
