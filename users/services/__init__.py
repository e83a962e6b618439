"""Every write of people's accounts, sessions and tokens; one module per topic, one place to import from."""

from users.services.access import LastAdmin, set_access
from users.services.accounts import AddressTaken, RegistrationClosed, register, verification_token, verify_email
from users.services.passwords import change_password, request_password_reset, reset_password
from users.services.personal_tokens import create_personal_token, delete_personal_token
from users.services.sessions import (
    CredentialsRefused,
    TokenPair,
    TokenRefused,
    end_sessions,
    open_session,
    refresh,
    sign_in,
    sign_out,
)

__all__ = [
    "AddressTaken",
    "CredentialsRefused",
    "LastAdmin",
    "RegistrationClosed",
    "TokenPair",
    "TokenRefused",
    "change_password",
    "create_personal_token",
    "delete_personal_token",
    "end_sessions",
    "open_session",
    "refresh",
    "register",
    "request_password_reset",
    "reset_password",
    "set_access",
    "sign_in",
    "sign_out",
    "verification_token",
    "verify_email",
]
