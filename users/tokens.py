"""Sessions' JWTs, and random personal tokens stored hashed."""

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
    return uuid.uuid4().hex


def access_token(session: Session) -> str:
    """Return a new access token."""
    token = jwt.AccessToken()
    _name_session(token, session)
    return str(token)


def refresh_token(session: Session) -> str:
    """Return the session's refresh token, always the same bytes."""
    token = jwt.RefreshToken()
    _name_session(token, session)
    token["jti"] = session.current_jti
    token["exp"] = datetime_to_epoch(session.expires_at)
    return str(token)


def read_refresh_token(text: str) -> tuple[uuid.UUID, str]:
    """Return the token's session and jti. Raises ValueError."""
    try:
        token = jwt.RefreshToken(text)  # type: ignore[arg-type]  # it takes encoded tokens, its annotation does not
    except TokenError as error:
        raise ValueError(str(error)) from error
    session = session_named_in(token)
    if session is None:
        raise ValueError("The token has no session.")
    return session, str(token["jti"])


def session_named_in(token: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(token.get(SESSION_CLAIM)))
    except ValueError:
        return None


def new_personal_token() -> str:
    """Return 40 random characters with a prefix for secret scanners."""
    return PERSONAL_PREFIX + secrets.token_urlsafe(30)


def digest_of(token: str) -> str:
    """Return the SHA-256: 240 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _name_session(token: jwt.Token, session: Session) -> None:
    del token["iat"]
    token[SESSION_CLAIM] = str(session.pk)
    token["user_id"] = str(session.user_id)
