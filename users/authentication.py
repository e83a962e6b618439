"""Authenticate by access token or personal token, at one query each."""

import datetime as dt
import uuid
from typing import Any

from django.db.models import Q, UUIDField
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from core.db.prepared import Parameter, prepared
from users.models import PersonalToken, Session, TokenScope, User
from users.tokens import digest_of, session_named_in

LAST_USED_STEP = dt.timedelta(minutes=1)

OF_SESSION = [field.attname for field in Session._meta.concrete_fields]
OF_USER = [field.attname for field in User._meta.concrete_fields]


class SessionJWTAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>`; `request.auth` is the session."""

    def authenticate(  # type: ignore[override]  # `request.auth` is a session rather than its token
        self, request: Request
    ) -> tuple[User, Session] | None:
        """Return the session's user; None for other kinds of header."""
        header = self.get_header(request)
        raw_token = self.get_raw_token(header) if header is not None else None
        if raw_token is None:
            return None
        try:
            token = AccessToken(raw_token)  # type: ignore[arg-type]  # it takes encoded tokens
        except TokenError as error:
            raise AuthenticationFailed(
                "The access token is not valid or has expired.", code="token_not_valid"
            ) from error
        session_id = session_named_in(token)
        session = _session(session_id) if session_id is not None else None
        if session is None or session.revoked_at or session.expires_at <= timezone.now():
            raise AuthenticationFailed("This session has ended; sign in again.", code="session_ended")
        if not session.user.is_active:
            raise AuthenticationFailed("This account is not active.", code="user_inactive")
        return session.user, session


class PersonalTokenAuthentication(BaseAuthentication):
    """`Authorization: Token <personal token>`; `request.auth` is its row."""

    keyword = b"token"

    def authenticate(self, request: Request) -> tuple[User, PersonalToken] | None:
        """Return the token's owner; read tokens refuse writes with 403."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != self.keyword:
            return None
        token = _find(parts[1]) if len(parts) == 2 else None
        now = timezone.now()
        if token is None or not token.user.is_active:
            raise AuthenticationFailed("The token is not valid.", code="token_not_valid")
        if token.expires_at and token.expires_at <= now:
            raise AuthenticationFailed("The token has expired.", code="token_expired")
        if token.scope == TokenScope.READ and request.method not in SAFE_METHODS:
            raise PermissionDenied("This token is read-only.", code="token_read_only")
        _stamp_use(token, now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class NotByPersonalToken(BasePermission):
    """Refuse personal tokens: a leaked one must not outlive its expiry."""

    message = "A personal access token cannot do this; sign in with your password."

    def has_permission(self, request: Request, view: Any) -> bool:
        return not isinstance(request.auth, PersonalToken)


def _session(pk: uuid.UUID) -> Session | None:
    query = prepared("session of a token", _sessions)
    for row in query.rows(pk=pk):
        session = Session.from_db(query.alias, OF_SESSION, row[: len(OF_SESSION)])
        session.user = User.from_db(query.alias, OF_USER, row[len(OF_SESSION) :])
        return session
    return None


def _sessions() -> Any:
    columns = [*OF_SESSION, *(f"user__{column}" for column in OF_USER)]
    return Session.objects.filter(pk=Parameter("pk", UUIDField())).values_list(*columns)


def _find(raw_token: bytes) -> PersonalToken | None:
    digest = digest_of(raw_token.decode("latin-1"))
    return PersonalToken.objects.select_related("user").filter(digest=digest).first()


def _stamp_use(token: PersonalToken, now: dt.datetime) -> None:
    stale = now - LAST_USED_STEP
    if token.last_used_at and token.last_used_at > stale:
        return
    unstamped: Any = Q(last_used_at__isnull=True) | Q(last_used_at__lte=stale)
    PersonalToken.objects.filter(unstamped, pk=token.pk).update(last_used_at=now)


def person(request: Request) -> User:
    """Return the signed-in caller."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 (for the type checker)
    return user
