"""The tokens themselves: signed JWTs that name a session, and random personal tokens that are stored hashed."""

import hashlib
import secrets
import uuid
from typing import Any

from rest_framework_simplejwt import tokens as jwt
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.utils import datetime_to_epoch

from users.models import Session

SESSION_CLAIM = "sid"
PERSONAL_PREFIX = "irt_"


def new_jti() -> str:
    """The name of a new refresh token."""
    return uuid.uuid4().hex


def access_token(session: Session) -> str:
    """A new access token of the session."""
    token = jwt.AccessToken()
    _name_session(token, session)
    return str(token)


def refresh_token(session: Session) -> str:
    """The session's current refresh token; the same bytes however often it is asked for."""
    token = jwt.RefreshToken()
    _name_session(token, session)
    token["jti"] = session.current_jti
    token["exp"] = datetime_to_epoch(session.expires_at)
    return str(token)


def read_refresh_token(text: str) -> tuple[uuid.UUID, str]:
    """The session and the jti that a refresh token names. Raises ValueError for anything else."""
    try:
        token = jwt.RefreshToken(text)  # type: ignore[arg-type]  # it takes encoded tokens, its annotation does not
    except TokenError as error:
        raise ValueError(str(error)) from error
    session = session_named_in(token)
    if session is None:
        raise ValueError("The token names no session.")
    return session, str(token["jti"])


def session_named_in(token: Any) -> uuid.UUID | None:
    """The session a validated token belongs to."""
    try:
        return uuid.UUID(str(token.get(SESSION_CLAIM)))
    except ValueError:
        return None


def new_personal_token() -> str:
    """A random token of 40 characters after a prefix by which scanners for leaked secrets can tell it."""
    return PERSONAL_PREFIX + secrets.token_urlsafe(30)


def digest_of(token: str) -> str:
    """SHA-256 of a personal token: it has 240 random bits, so no salt or slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _name_session(token: jwt.Token, session: Session) -> None:
    """Whose it is; and not when it was issued, for that makes a token invalid once the clock is put back before it."""
    del token["iat"]
    token[SESSION_CLAIM] = str(session.pk)
    token["user_id"] = str(session.user_id)
