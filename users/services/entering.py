"""Sign-in on the pages, by cookie: a password first, then a second factor where one is set."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import DomainError
from users import audit
from users.models import BrowserSession, User
from users.passwords import refuse_weak_password
from users.services import second_factors, security_keys
from users.services.browsers import key_of, note_browser
from users.services.sessions import check_password, confirm_password, end_access, refuse_changed

BACKEND = "users.backends.EmailBackend"
PENDING, CONFIRMED, ENTERED_AT = "sign_in_pending", "second_factor_given", "signed_in_at"
PENDING_SECONDS = 600
RECENT_SECONDS = 900  # in which a person without a password need not sign in again


@dataclass(frozen=True)
class Pending:
    """Somebody whose password was right, and who is asked for the second factor."""

    user: User
    next: str


def begin(request: HttpRequest, *, email: str, password: str, next: str = "") -> User | None:
    """Check the password; return the person signed in, or None if the second factor is to be asked for.

    Raises CredentialsRefused, TooManyRequests.
    """
    return proceed(request, check_password(request, email=email, password=password), next=next)


def proceed(request: HttpRequest, user: User, *, next: str = "") -> User | None:
    """Sign in somebody who proved who they are, or have the second factor asked for: None."""
    if not second_factors.is_set(user):
        enter(request, user, is_confirmed=False)
        return user
    under_new_key(request, request.session.cycle_key)  # somebody may be signed in, whose browser stays known
    request.session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "at": int(time.time()),
        "next": next,
    }
    return None


def pending(request: HttpRequest) -> Pending | None:
    """Return who is asked for a second factor in this browser, for ten minutes."""
    claim: dict[str, Any] = request.session.get(PENDING) or {}
    if not claim or time.time() - claim["at"] > PENDING_SECONDS:
        return None
    user = User.objects.active().filter(pk=claim["user"]).first()
    if user is None or user.get_session_auth_hash() != claim["hash"]:
        return None
    return Pending(user, claim["next"])


def confirm(request: HttpRequest, waiting: Pending, *, code: str) -> User:
    """Sign in by the second factor. Raises OtpRequired, OtpRefused, TooManyRequests, CredentialsRefused."""
    is_confirmed = second_factors.require(request, waiting.user, code)
    enter(request, waiting.user, is_confirmed=is_confirmed)
    return waiting.user


def confirm_by_key(request: HttpRequest, waiting: Pending, *, response: str) -> User:
    """Sign in by a security key as second factor. Raises KeyRefused, TooManyRequests, CredentialsRefused."""
    user = security_keys.finish_asking(request, waiting.user, response=response)
    enter(request, waiting.user, is_confirmed=True)
    return user


def enter_by_passkey(request: HttpRequest, *, response: str) -> User:
    """Sign in by a passkey alone: the device has verified the person. Raises as `confirm_by_key`."""
    user = security_keys.finish_asking(request, None, response=response)
    enter(request, user, is_confirmed=True)
    return user


@unit_of_work
def enter(request: HttpRequest, user: User, *, is_confirmed: bool) -> None:
    """Open the cookie's session under a new key. Raises CredentialsRefused."""
    refuse_changed(user, is_confirmed=is_confirmed)
    request.session.pop(PENDING, None)
    BrowserSession.objects.filter(session_key=request.session.session_key or "").delete()
    login(request, user, backend=BACKEND)
    request.session[CONFIRMED] = is_confirmed
    request.session[ENTERED_AT] = int(time.time())
    note_browser(request, user)


def leave(request: HttpRequest) -> None:
    """End the cookie's session."""
    BrowserSession.objects.filter(session_key=request.session.session_key or "").delete()
    logout(request)


def is_confirmed(request: HttpRequest) -> bool:
    """Return whether this browser's session has passed a second factor."""
    return bool(request.session.get(CONFIRMED))


def prove(request: HttpRequest, user: User, *, password: str) -> None:
    """Require the password again; of people without one, a recent sign-in. Raises DomainError, TooManyRequests."""
    second_factors.refuse_unconfirmed(user, is_confirmed=is_confirmed(request))
    if not user.has_usable_password():
        if time.time() - request.session.get(ENTERED_AT, 0) > RECENT_SECONDS:
            raise DomainError(_("Sign out and in again to do this."), field="password", code="sign_in_again")
    elif not confirm_password(user, password):
        raise DomainError(_("This is not your password."), field="password")


def set_up_app(request: HttpRequest, user: User, *, secret: str, code: str, password: str) -> list[str]:
    """Add an authenticator app; this browser has passed it. Return recovery codes. Raises DomainError."""
    prove(request, user, password=password)
    codes = second_factors.set_up_app(user, secret=secret, code=code)
    request.session[CONFIRMED] = True
    return codes


def begin_adding_key(request: HttpRequest, user: User, *, password: str) -> dict[str, Any]:
    """Return what the browser is to ask a new key. Raises DomainError."""
    prove(request, user, password=password)
    return security_keys.begin_adding(request, user)


def add_key(request: HttpRequest, user: User, *, response: str, name: str) -> list[str]:
    """Add the key; this browser has passed it. Return new recovery codes, if any. Raises DomainError."""
    _key, codes = security_keys.finish_adding(request, user, response=response, name=name)
    request.session[CONFIRMED] = True
    return codes


def remove_key(request: HttpRequest, user: User, *, key_id: int, password: str) -> None:
    """Remove a key. Raises DomainError, NotFound."""
    prove(request, user, password=password)
    security_keys.remove_key(user, key_id)


def renew_recovery_codes(request: HttpRequest, user: User, *, password: str) -> list[str]:
    """Return new recovery codes, voiding the others. Raises DomainError, Conflict."""
    prove(request, user, password=password)
    return second_factors.renew_recovery_codes(user)


def remove_app(request: HttpRequest, user: User, *, password: str) -> None:
    """Remove one's authenticator app. Raises DomainError, Conflict."""
    prove(request, user, password=password)
    second_factors.remove_app(user)


def change_own_password(request: HttpRequest, user: User, *, current: str, new: str, keep_tokens: bool) -> None:
    """Change the password; other sessions end, this browser's goes on. Raises DomainError, TooManyRequests."""
    prove(request, user, password=current)
    refuse_weak_password(new, user, field="new_password")
    _store_change(request, user, make_password(new), keep_tokens)


@unit_of_work
def _store_change(request: HttpRequest, user: User, password_hash: str, keep_tokens: bool) -> None:
    owner = User.objects.select_for_update().get(pk=user.pk)
    if owner.password != user.password:  # the second of two has a void password
        raise DomainError(_("This is not your password."), field="password")
    owner.password = password_hash
    owner.save(update_fields=["password"])
    end_access(owner, reason="password_changed", but_key=key_of(request), keep_tokens=keep_tokens)
    audit.record(owner, "password_changed")
    under_new_key(request, lambda: update_session_auth_hash(request, owner))


def under_new_key(request: HttpRequest, change: Callable[[], object]) -> None:
    """Follow the cookie's session through what gives it another key."""
    row = BrowserSession.objects.filter(session_key=key_of(request)).first()
    change()
    if row is not None:
        row.session_key = key_of(request)
        row.save(update_fields=["session_key"])
