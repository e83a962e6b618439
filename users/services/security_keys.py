"""Passkeys and security keys: added, asked for, removed. What was asked waits in the cookie's session, once."""

import ipaddress
import time
from typing import Any

import structlog
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound
from core.text.names import normal
from users import audit, lockout, webauthn
from users.models import SecurityKey, User
from users.sealing import keyed_digest
from users.services import second_factors

log = structlog.get_logger(__name__)

STATE = "webauthn_state"
STATE_SECONDS = 300
MOST_KEYS = 20


class KeyRefused(DomainError):
    status = 401
    code = "key_refused"
    title = "Authentication required"

    def __init__(self) -> None:
        super().__init__(_("The key was not accepted. Try again, or sign in another way."))


def is_possible(request: HttpRequest) -> bool:
    """Return whether browsers offer keys for this host: it needs a name."""
    try:
        ipaddress.ip_address(request.get_host().rsplit(":", 1)[0].strip("[]"))
    except ValueError:
        return True
    return False


def keys_here(request: HttpRequest, user: User) -> QuerySet[SecurityKey]:
    """Return somebody's keys that sign for this host."""
    return SecurityKey.objects.filter(user=user, host=_host(request))


def begin_adding(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return what the browser is to ask a new key. Raises Conflict."""
    known = list(SecurityKey.objects.filter(user=user))
    if len(known) >= MOST_KEYS:
        raise Conflict(_("There are at most %(most)d keys; remove one first.") % {"most": MOST_KEYS})
    options, state = webauthn.begin_adding(
        _origin(request),
        handle=_handle_of(user),
        account=user.email,
        name=user.name,
        known=[key.credential for key in known if key.host == _host(request)],
    )
    _keep(request, f"add:{user.pk}", state)
    return options


def finish_adding(request: HttpRequest, user: User, *, response: str, name: str) -> tuple[SecurityKey, list[str]]:
    """Add the key; return it, and recovery codes if the person had none. Raises KeyRefused, Conflict, DomainError."""
    try:
        found = webauthn.finish_adding(_origin(request), _kept(request, f"add:{user.pk}"), response)
    except webauthn.KeyRefused as error:
        raise KeyRefused from error
    return _store_key(user, found, normal(name)[:60] or _("Key"), _host(request))


@unit_of_work
def _store_key(user: User, found: webauthn.Credential, name: str, host: str) -> tuple[SecurityKey, list[str]]:
    owner = User.objects.select_for_update().get(pk=user.pk)
    if SecurityKey.objects.filter(credential_key=found.key).exists():
        raise Conflict(_("This key is set up already."), code="already_exists")
    key = SecurityKey.objects.create(
        user=owner,
        name=name,
        host=host,
        credential_key=found.key,
        credential=found.credential,
        counter=found.counter,
    )
    audit.record(owner, "second_factor_set", kind="security key", name=name)
    codes = [] if second_factors.recovery_codes_left(owner) else second_factors.replace_recovery_codes(owner)
    return key, codes


def begin_asking(request: HttpRequest, user: User | None) -> dict[str, Any]:
    """Return what the browser is to ask one of somebody's keys, or (None) any passkey."""
    known = list(keys_here(request, user).values_list("credential", flat=True)) if user else None
    options, state = webauthn.begin_asking(_origin(request), known=known, must_verify=user is None)
    _keep(request, f"ask:{user.pk if user else ''}", state)
    return options


def finish_asking(request: HttpRequest, user: User | None, *, response: str) -> User:
    """Return whose key signed. Raises KeyRefused, TooManyRequests; refusals of a known key count as failed sign-ins."""
    state = _kept(request, f"ask:{user.pk if user else ''}")
    try:
        claimed, handle = webauthn.claimed_key(response)
    except webauthn.KeyRefused as error:
        raise KeyRefused from error
    key = SecurityKey.objects.select_related("user").filter(credential_key=claimed, user__is_active=True).first()
    if key is None or (user is not None and key.user_id != user.pk):
        raise KeyRefused
    lockout.refuse_if_locked(request, key.user.email)
    try:
        signed = webauthn.finish_asking(_origin(request), state, response, key.credential)
    except webauthn.KeyRefused as error:
        _count(request, key.user)
        raise KeyRefused from error
    if (handle is not None and handle != _handle_of(key.user)) or not _advance(key.pk, signed.counter):
        _count(request, key.user)
        raise KeyRefused
    return key.user


def _count(request: HttpRequest, user: User) -> None:
    lockout.count_failure(request, user.email)
    lockout.refuse_locked(request, user.email)


@unit_of_work
def _advance(key_id: int, counter: int) -> bool:
    key = SecurityKey.objects.select_for_update().filter(pk=key_id).first()
    if key is None:
        return False
    if counter <= key.counter and (counter or key.counter):  # most passkeys count nothing: 0
        log.warning("security_key_counter", user=key.user_id, key=key.pk)
        return False
    key.counter, key.last_used_at = counter, timezone.now()
    key.save(update_fields=["counter", "last_used_at"])
    return True


@unit_of_work
def remove_key(user: User, key_id: int) -> None:
    """Remove a key of one's own. Raises NotFound."""
    owner = User.objects.select_for_update().get(pk=user.pk)
    key = SecurityKey.objects.filter(user=owner, pk=key_id).first()
    if key is None:
        raise NotFound(_("You have no such key."))
    key.delete()
    audit.record(owner, "second_factor_removed", kind="security key", name=key.name)
    second_factors.drop_idle_recovery_codes(owner)


def _handle_of(user: User) -> bytes:
    return bytes.fromhex(keyed_digest("users.webauthn-handle", str(user.pk)))


def _host(request: HttpRequest) -> str:
    return request.get_host().rsplit(":", 1)[0]


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _keep(request: HttpRequest, purpose: str, state: dict[str, Any]) -> None:
    request.session[STATE] = {"purpose": purpose, "at": int(time.time()), "state": state}


def _kept(request: HttpRequest, purpose: str) -> dict[str, Any]:
    kept = request.session.pop(STATE, None) or {}
    if kept.get("purpose") != purpose or time.time() - kept["at"] > STATE_SECONDS:
        raise KeyRefused
    state: dict[str, Any] = kept["state"]
    return state
