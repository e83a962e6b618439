"""Contact methods: added, verified by a code, linked to a chat, tested, removed."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, PermissionRefused, TooManyRequests
from notifications.channels.port import Channel, all_channels, channel_of
from notifications.models import ContactMethod, Delivery, LinkCode
from notifications.services.health import disable, mark_failing, mark_working
from notifications.services.outbox import new_delivery, of_method, put
from notifications.vocabulary import Importance, Kind, MethodState
from users.models import User

__all__ = [
    "Added",
    "accept_link_code",
    "add_method",
    "address_key",
    "disable",
    "link_by_code",
    "mark_failing",
    "mark_working",
    "methods_at",
    "offer_link_code",
    "remove_method",
    "send_code",
    "send_test",
    "verify",
]

MOST_METHODS = 20
CODE_MINUTES, CODE_TRIES = 10, 5
CODES_PER_HOUR = 5  # of a person, and of an address
TESTS_PER_HOUR = 20
# Link codes are looked up without knowing whose they are: too many to guess, and none reads like another.
LINK_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LINK_LENGTH = 8
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Added:
    """A new method; `code` is what the person sends to the bot, where a chat is to be linked.

    `secret` is shown now and never again.
    """

    method: ContactMethod
    code: str = ""
    secret: str = ""


def address_key(kind: str, address: str) -> str:
    return hashlib.sha256(f"{kind}\n{address}".encode()).hexdigest()


def methods_at(kind: str, address: str) -> list[ContactMethod]:
    """Return the verified methods with this address: whom a message from there is by."""
    found = ContactMethod.objects.verified().filter(address_key=address_key(kind, address), user__is_active=True)
    return list(found.select_related("user").order_by("id"))


@unit_of_work
def add_method(
    user: User, kind: str, address: str = "", *, label: str = "", data: Mapping[str, Any] | None = None
) -> Added:
    """Add a method of a person and send its code. Raises DomainError, PermissionRefused, Conflict, TooManyRequests."""
    channel = _usable_channel(user, kind)
    User.objects.select_for_update().get(pk=user.pk)  # counts and duplicates of one person, one at a time
    if ContactMethod.objects.filter(user=user).count() >= MOST_METHODS:
        raise Conflict(
            _("There are at most %(methods)s contact methods; remove one first.") % {"methods": MOST_METHODS},
            code="too_many_methods",
        )
    method = ContactMethod(user=user, kind=kind, label=label, data={**(data or {}), **channel.new_data()})
    if channel.is_linked:
        return _add_linked(method)
    method.address = channel.validate(address)
    method.address_key = address_key(kind, method.address)
    if ContactMethod.objects.filter(user=user, address_key=method.address_key).exists():
        raise Conflict(_("You have this contact method already."), code="already_exists")
    if not channel.needs_code:
        method.state, method.verified_at = MethodState.OK, database_now()
    method.save()
    if channel.needs_code:
        send_code(method)
    return Added(method, secret=method.data.get("secret", ""))


def _usable_channel(user: User, kind: str) -> Channel:
    channel = channel_of(kind)
    if channel is None or not channel.is_personal:
        known = ", ".join(sorted(one.kind for one in all_channels() if one.is_personal))
        raise DomainError(
            _("%(kind)s is none of %(known)s.") % {"kind": kind, "known": known}, field="kind", code="invalid_choice"
        )
    if channel.is_for_staff and not user.is_staff:
        raise PermissionRefused(_("Only responders and administrators can add such a contact method."))
    if reason := channel.why_unusable():
        raise DomainError(
            _("%(channel)s is not set up on this server. %(reason)s") % {"channel": channel.label, "reason": reason},
            field="kind",
            code="not_set_up",
        )
    return channel


def _add_linked(method: ContactMethod) -> Added:
    code = _new_link_code()
    method.address_key = address_key(method.kind, f"linking:{secrets.token_hex(16)}")
    method.code_digest, method.code_expires_at = _link_digest(code), database_now() + dt.timedelta(minutes=CODE_MINUTES)
    method.save()
    return Added(method, code)


@unit_of_work
def send_code(method: ContactMethod) -> None:
    """Send a new code to a method; the one before is void. Raises TooManyRequests, Conflict."""
    channel = channel_of(method.kind)
    if channel is None or channel.is_linked or not channel.needs_code:
        raise Conflict(_("No code is sent to this contact method."), code="no_code")
    now = database_now()
    _require_allowance(method, Kind.CODE, CODES_PER_HOUR, now)
    code = f"{secrets.randbelow(10**6):06}"
    method.code_digest = _code_digest(method, code)
    method.code_expires_at, method.code_tries = now + dt.timedelta(minutes=CODE_MINUTES), 0
    method.save(update_fields=["code_digest", "code_expires_at", "code_tries"])
    _send(method, Kind.CODE, now, {"code": code})


def verify(method: ContactMethod, code: str) -> ContactMethod:
    """Verify a method by the code sent to it. Raises DomainError, Conflict; wrong codes are counted."""
    verified, refusal = _try_code(method.pk, code.strip())
    if refusal is not None:
        raise refusal
    return verified


@unit_of_work
def _try_code(method_id: int, code: str) -> tuple[ContactMethod, DomainError | None]:
    method = ContactMethod.objects.select_for_update().get(pk=method_id)
    now = database_now()
    if not method.code_digest or method.code_expires_at is None or method.code_expires_at <= now:
        return method, Conflict(_("The code has expired; have a new one sent."), code="code_expired")
    if method.code_tries >= CODE_TRIES:
        return method, Conflict(_("Too many wrong codes; have a new one sent."), code="too_many_tries")
    if not secrets.compare_digest(method.code_digest, _code_digest(method, code)):
        method.code_tries += 1
        method.save(update_fields=["code_tries"])
        return method, DomainError(_("This is not the code that was sent."), field="code", code="wrong_code")
    _mark_verified(method, now)
    return method, None


def _mark_verified(method: ContactMethod, now: dt.datetime) -> None:
    method.state, method.verified_at = MethodState.OK, now
    method.reason, method.failing_since = "", None
    method.code_digest, method.code_expires_at, method.code_tries = "", None, 0
    method.save(
        update_fields=[
            *("state", "verified_at", "reason", "failing_since", "code_digest", "code_expires_at", "code_tries"),
            *("address", "address_key", "data"),
        ]
    )


@unit_of_work
def link_by_code(kind: str, address: str, code: str, data: Mapping[str, Any] | None = None) -> ContactMethod:
    """Link a chat to the person who got this code on our pages, and sent it to the bot. Raises DomainError."""
    now = database_now()
    waiting = ContactMethod.objects.select_for_update().select_related("user")
    digest = _link_digest(code)
    method = waiting.filter(kind=kind, code_digest=digest, code_expires_at__gt=now, user__is_active=True).first()
    if method is None:
        raise DomainError(
            _("This code is unknown or has expired; have a new one shown."), field="code", code="wrong_code"
        )
    return _link(method, address, dict(data or {}), now)


@unit_of_work
def offer_link_code(kind: str, address: str, data: Mapping[str, Any] | None = None) -> str:
    """Return a code for somebody who writes from a chat that is linked to nobody, to type in on our pages."""
    code = _new_link_code()
    expires_at = database_now() + dt.timedelta(minutes=CODE_MINUTES)
    LinkCode.objects.create(
        digest=_link_digest(code), kind=kind, address=address, data=dict(data or {}), expires_at=expires_at
    )
    return code


@unit_of_work
def accept_link_code(user: User, code: str, *, label: str = "") -> ContactMethod:
    """Link the chat that showed this code. Raises DomainError, Conflict, PermissionRefused."""
    now = database_now()
    offered = LinkCode.objects.select_for_update().filter(digest=_link_digest(code), expires_at__gt=now).first()
    if offered is None or offered.used_at is not None:
        raise DomainError(
            _("This code is unknown or has expired; have a new one shown."), field="code", code="wrong_code"
        )
    _usable_channel(user, offered.kind)
    offered.used_at = now
    offered.save(update_fields=["used_at"])
    return _link(ContactMethod(user=user, kind=offered.kind, label=label), offered.address, offered.data, now)


def _link(method: ContactMethod, address: str, data: dict[str, Any], now: dt.datetime) -> ContactMethod:
    key = address_key(method.kind, address)
    if ContactMethod.objects.verified().filter(address_key=key).exclude(user=method.user).exists():
        raise Conflict(_("This chat account is linked to somebody else already."), code="linked_to_another")
    if known := ContactMethod.objects.filter(user=method.user, address_key=key).first():
        if method.pk and method.pk != known.pk:
            method.delete()
        method = known
    method.address, method.address_key, method.data = address, key, data
    if method.pk is None:
        method.save()
    _mark_verified(method, now)
    return method


def rename(method: ContactMethod, label: str) -> None:
    ContactMethod.objects.filter(pk=method.pk).update(label=label)  # it may be gone by now
    method.label = label


@unit_of_work
def remove_method(method: ContactMethod) -> None:
    """Remove a method; what waits for it goes by the person's next method."""
    method.delete()


def remove_all_methods(user: User) -> None:
    """Remove all of somebody's methods: they may be another person's."""
    ContactMethod.objects.filter(user=user).delete()


@unit_of_work
def send_test(method: ContactMethod) -> Delivery:
    """Send a test message. Raises Conflict, TooManyRequests."""
    if not method.is_verified:
        raise Conflict(_("Only a verified contact method can be tested."), code="not_verified")
    now = database_now()
    _require_allowance(method, Kind.TEST, TESTS_PER_HOUR, now)
    return _send(method, Kind.TEST, now, {})


def _send(method: ContactMethod, kind: Kind, now: dt.datetime, content: dict[str, str]) -> Delivery:
    target = of_method(method, method.user.name)
    cause = f"{kind}:{method.pk}:{secrets.token_hex(8)}"
    delivery = new_delivery(cause, target, kind, at=now, importance=Importance.HIGH, content=content)
    put([delivery])
    return delivery


def _require_allowance(method: ContactMethod, kind: Kind, most: int, now: dt.datetime) -> None:
    """Refuse what would flood a person, or an address that several people entered."""
    User.objects.select_for_update().get(pk=method.user_id)  # one request at a time
    recent = Delivery.objects.filter(kind=kind, created_at__gt=now - HOUR)
    of_person = recent.filter(user=method.user).count()
    of_address = recent.filter(method__address_key=method.address_key).count()
    if max(of_person, of_address) >= most:
        raise TooManyRequests(
            _("At most %(most)s of these are sent in an hour; try again later.") % {"most": most}, retry_after=3600
        )


def _code_digest(method: ContactMethod, code: str) -> str:
    return salted_hmac("notifications.codes", f"{method.pk}:{code}", algorithm="sha256").hexdigest()


def _new_link_code() -> str:
    return "".join(secrets.choice(LINK_ALPHABET) for _number in range(LINK_LENGTH))


def _link_digest(code: str) -> str:
    text = "".join(code.split()).replace("-", "").upper()
    return salted_hmac("notifications.links", text, algorithm="sha256").hexdigest()
