import datetime as dt
import uuid
from dataclasses import dataclass

import structlog
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings

from core.api.clients import client_address, client_name
from core.db.transactions import unit_of_work
from core.errors import DomainError
from users import audit, lockout, tokens
from users.models import Session, User
from users.services import second_factors
from users.services.browsers import end_browser_sessions
from users.services.personal_tokens import end_personal_tokens

log = structlog.get_logger(__name__)

# Answers get lost, and tabs refresh together: the previous token works so long.
GRACE = dt.timedelta(seconds=10)
REFUSED = "Incorrect email or password."


class CredentialsRefused(DomainError):
    status = 401
    code = "invalid_credentials"
    title = "Authentication required"


class TokenRefused(DomainError):
    status = 401
    code = "token_not_valid"
    title = "Authentication required"


@dataclass(frozen=True)
class TokenPair:
    access: str
    refresh: str


def check_password(request: HttpRequest, *, email: str, password: str) -> User:
    """Return whose password it is. Raises CredentialsRefused, TooManyRequests. Hash outside any transaction."""
    user = authenticate(request, username=email, password=password)
    lockout.refuse_locked(request, email)
    if not isinstance(user, User):
        raise CredentialsRefused(REFUSED)
    return user


def sign_in(request: HttpRequest, *, email: str, password: str, otp: str = "") -> TokenPair:
    """Check password and second factor, and open a session.

    Raises what `check_password` and `second_factors.require` raise.
    """
    user = check_password(request, email=email, password=password)
    is_confirmed = second_factors.require(request, user, otp)
    return _enter(user, request, is_confirmed)


@unit_of_work
def _enter(user: User, request: HttpRequest, is_confirmed: bool) -> TokenPair:
    refuse_changed(user, is_confirmed=is_confirmed)
    session = open_session(
        user, user_agent=client_name(request), ip_address=client_address(request), is_confirmed=is_confirmed
    )
    user_logged_in.send(sender=User, request=request, user=user)
    return pair_of(session)


def refuse_changed(user: User, *, is_confirmed: bool) -> None:
    """Lock the account. Raises CredentialsRefused if password, access or second factor changed since they were checked.

    No session of the old password may slip in behind a new one.
    """
    owner = User.objects.select_for_update().active().filter(pk=user.pk).first()
    if owner is None or owner.password != user.password or (not is_confirmed and second_factors.is_set(owner)):
        raise CredentialsRefused(REFUSED)


def open_session(
    user: User, *, user_agent: str = "", ip_address: str | None = None, is_confirmed: bool = False
) -> Session:
    now = timezone.now()
    return Session.objects.create(
        user=user,
        current_jti=tokens.new_jti(),
        created_at=now,
        expires_at=now + api_settings.REFRESH_TOKEN_LIFETIME,
        user_agent=user_agent,
        ip_address=ip_address,
        is_confirmed=is_confirmed,
    )


def pair_of(session: Session) -> TokenPair:
    """Return a fresh access token and the refresh token."""
    return TokenPair(access=tokens.access_token(session), refresh=tokens.refresh_token(session))


def refresh(token: str) -> TokenPair:
    """Exchange a refresh token for the next pair. Raises TokenRefused.

    The previous token works for seconds; an older one suggests theft and ends the session.
    """
    try:
        session_id, jti = tokens.read_refresh_token(token)
    except ValueError as error:
        raise TokenRefused("The refresh token is not valid or has expired.") from error
    session = _advance(session_id, jti)
    if session is None:
        raise TokenRefused("This session has ended; sign in again.")
    return pair_of(session)


@unit_of_work
def _advance(session_id: uuid.UUID, jti: str) -> Session | None:
    """Return the rotated session; None if ended (an exception would undo the revocation)."""
    session = Session.objects.select_for_update().filter(pk=session_id).first()
    now = timezone.now()
    if session is None or session.revoked_at or session.expires_at <= now or not session.user.is_active:
        return None
    if jti == session.current_jti:
        rotate(session, now)
    elif jti != session.previous_jti or session.rotated_at is None or now - session.rotated_at > GRACE:
        _revoke_reused(session, now)
        return None
    return session


def rotate(session: Session, now: dt.datetime) -> None:
    """Make the next refresh token current; lock the row or its user first."""
    session.previous_jti, session.current_jti = session.current_jti, tokens.new_jti()
    session.rotated_at = now
    session.expires_at = now + api_settings.REFRESH_TOKEN_LIFETIME
    session.save(update_fields=["previous_jti", "current_jti", "rotated_at", "expires_at"])


def _revoke_reused(session: Session, now: dt.datetime) -> None:
    end_sessions(session.user, reason="reuse", only=session, at=now)
    audit.record(session.user, "session_revoked", reason="a spent refresh token came back")
    log.warning("refresh_token_reused", user=session.user_id, session=str(session.pk))


def end_sessions(
    user: User,
    *,
    reason: str,
    only: Session | None = None,
    but: Session | None = None,
    at: dt.datetime | None = None,
) -> int:
    """End and count sessions (`only` one, or all `but` one)."""
    sessions = Session.objects.filter(user=user, revoked_at__isnull=True)
    if only is not None:
        sessions = sessions.filter(pk=only.pk)
    if but is not None:
        sessions = sessions.exclude(pk=but.pk)
    return sessions.update(revoked_at=at or timezone.now(), revoked_reason=reason)


def end_access(
    user: User,
    *,
    reason: str,
    by: User | None = None,
    but: Session | None = None,
    but_key: str = "",
    keep_tokens: bool = False,
) -> None:
    """End sessions (all `but` one, of the API or by the key of its cookie) and, unless kept, tokens."""
    end_sessions(user, reason=reason, but=but)
    end_browser_sessions(user, but_key=but_key)
    if not keep_tokens:
        end_personal_tokens(user, reason=reason, by=by)


def confirm_password(user: User, password: str) -> bool:
    """Return whether it is right; count a failure. Raises TooManyRequests."""
    request = audit.present_request()
    if request is None:
        return user.check_password(password)
    found = authenticate(request, username=user.email, password=password)
    lockout.refuse_locked(request, user.email)
    return found is not None and found.pk == user.pk


@unit_of_work
def sign_out(user: User, *, session: Session | None = None, token: str = "") -> None:
    """End this session, and the refresh token's; idempotent."""
    if session is not None:
        end_sessions(user, reason="signed_out", only=session)
    if not token:
        return
    try:
        session_id, _jti = tokens.read_refresh_token(token)
    except ValueError as error:
        raise DomainError("The refresh token is not valid or has expired.", field="refresh") from error
    end_sessions(user, reason="signed_out", only=Session(pk=session_id))
