"""Who we are for push services (RFC 8292)."""

import datetime as dt
import re
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.conf import settings
from django.utils.translation import gettext as _
from py_vapid import Vapid02, VapidException

from notifications.channels.push.encryption import point_of
from notifications.channels.push.subscription import to_base64

LIFETIME = dt.timedelta(hours=12)  # services refuse more than a day
_CONTACT = re.compile(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+|https://\S+", re.ASCII)


def why_unusable() -> str:
    """Return what the operator must set; "" if nothing."""
    if not settings.VAPID_PRIVATE_KEY:
        return _("The operator must set VAPID_PRIVATE_KEY (manage.py make_vapid_key).")
    if _signer(settings.VAPID_PRIVATE_KEY) is None:
        return _("VAPID_PRIVATE_KEY is not a key; manage.py make_vapid_key makes one.")
    if not is_contact(settings.VAPID_SUBJECT):
        return _("The operator must set VAPID_SUBJECT: mailto: with an address, or an address of a page (https).")
    return ""


def is_contact(subject: str) -> bool:
    return _CONTACT.fullmatch(subject) is not None


def public_key() -> str:
    """Return the `applicationServerKey` of browsers, or ""."""
    signer = _signer(settings.VAPID_PRIVATE_KEY) if settings.VAPID_PRIVATE_KEY else None
    return to_base64(point_of(signer.public_key)) if signer else ""


def authorization(endpoint: str, now: dt.datetime) -> str:
    """Return the Authorization header for a push service. Raises ValueError."""
    signer = _signer(settings.VAPID_PRIVATE_KEY)
    url = urlsplit(endpoint)
    claims = {"aud": f"{url.scheme}://{url.netloc}", "sub": settings.VAPID_SUBJECT}
    if signer is None:
        raise ValueError("there is no key")
    try:
        header: str = signer.sign({**claims, "exp": int((now + LIFETIME).timestamp())})["Authorization"]
    except VapidException as error:
        raise ValueError(str(error)) from error
    return header


def new_private_key() -> str:
    """Return a new VAPID_PRIVATE_KEY."""
    return to_base64(generate_private_key(SECP256R1()).private_numbers().private_value.to_bytes(32, "big"))


@lru_cache(maxsize=4)
def _signer(private_key: str) -> Vapid02 | None:
    try:
        return Vapid02.from_string(private_key)
    except (ValueError, TypeError):
        return None
