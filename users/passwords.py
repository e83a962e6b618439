from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from core.errors import DomainError
from users.models import User


class WeakPassword(DomainError):
    """The password breaks AUTH_PASSWORD_VALIDATORS."""

    code = "weak_password"


def refuse_weak_password(password: str, user: User, *, field: str) -> None:
    """Raise WeakPassword, naming the request's field."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), field=field) from error
