"""A browser's subscription: `PushSubscription.toJSON()`."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.outbound.urls import validate_url

LONGEST = 1000


@dataclass(frozen=True)
class Subscription:
    endpoint: str
    p256dh: bytes
    auth: bytes

    @property
    def service(self) -> str:
        return urlsplit(self.endpoint).hostname or ""

    def as_text(self) -> str:
        keys = {"p256dh": to_base64(self.p256dh), "auth": to_base64(self.auth)}
        return json.dumps({"endpoint": self.endpoint, "keys": keys}, separators=(",", ":"))


def parse_subscription(text: str) -> Subscription:
    """Return the subscription. Raises DomainError."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(_("Expected the JSON of the browser's subscription.")) from error
    keys = given.get("keys") if isinstance(given, dict) else None
    if not isinstance(keys, dict) or not isinstance(given.get("endpoint"), str):
        raise _refused(_("A subscription has an endpoint, and keys with p256dh and auth."))
    subscription = Subscription(
        validate_url(given["endpoint"], schemes=("https",)),
        _point(keys.get("p256dh")),
        _bytes(keys.get("auth"), "auth", 16),
    )
    if len(subscription.as_text()) > LONGEST:
        raise _refused(_("The subscription is too long."))
    return subscription


def validate(text: str) -> str:
    """Return a subscription as it is stored. Raises DomainError."""
    return parse_subscription(text).as_text()


def joined(endpoint: str, keys: Mapping[str, Any]) -> str:
    """Return the subscription of an endpoint and its keys, where they come apart."""
    return json.dumps({"endpoint": endpoint, "keys": dict(keys)})


def mask(text: str) -> str:
    try:
        return f"{parse_subscription(text).service}/…"
    except DomainError:  # what is allowed may have changed
        return "…"


def to_base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def from_base64(text: str) -> bytes:
    """Return what base64, base64url or either without padding holds. Raises ValueError."""
    text = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _bytes(value: Any, name: str, length: int) -> bytes:
    try:
        found = from_base64(value) if isinstance(value, str) else b""
    except ValueError:
        found = b""
    if len(found) != length:
        raise _refused(_("%(name)s must be %(length)d bytes in base64url.") % {"name": name, "length": length})
    return found


def _point(value: Any) -> bytes:
    point = _bytes(value, "p256dh", 65)
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError as error:
        raise _refused(_("p256dh is no point of the curve P-256.")) from error
    return point


def _refused(message: str) -> DomainError:
    return DomainError(message, field="address")
