"""Every write of accounts, sessions and tokens."""

from users.services.access import LastAdmin, set_access
from users.services.accounts import (
    AddressTaken,
    RegistrationClosed,
    edit_profile,
    refuse_closed,
    register,
    register_or_tell,
    verification_token,
    verify_email,
)
from users.services.invitations import MailRefused, accept_invitation, check_invitation, invite, invite_later
from users.services.passwords import change_password, check_reset, request_password_reset, reset_password
from users.services.personal_tokens import create_personal_token, delete_personal_token
from users.services.sessions import (
    CredentialsRefused,
    TokenPair,
    TokenRefused,
    confirm_password,
    end_access,
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
    "MailRefused",
    "RegistrationClosed",
    "TokenPair",
    "TokenRefused",
    "accept_invitation",
    "change_password",
    "check_invitation",
    "check_reset",
    "confirm_password",
    "create_personal_token",
    "delete_personal_token",
    "edit_profile",
    "end_access",
    "end_sessions",
    "invite",
    "invite_later",
    "open_session",
    "refresh",
    "refuse_closed",
    "register",
    "register_or_tell",
    "request_password_reset",
    "reset_password",
    "set_access",
    "sign_in",
    "sign_out",
    "verification_token",
    "verify_email",
]
