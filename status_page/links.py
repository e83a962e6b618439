"""Signed links in mails to subscribers: nothing is stored for them."""

import datetime as dt
from dataclasses import dataclass

from django.core import signing

CONFIRM, MANAGE = "status_page.confirm", "status_page.manage"
LIFETIME = dt.timedelta(days=3)  # of a request that nobody confirms


@dataclass(frozen=True)
class Confirmation:
    """Whose request a link confirms, and when it was asked, in microseconds since the epoch."""

    subscriber: int
    asked: int


def microseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def confirm_token(subscriber: int, asked_at: dt.datetime) -> str:
    """Return a token that confirms one request; a later request replaces it."""
    return signing.dumps([subscriber, microseconds(asked_at)], salt=CONFIRM)


def read_confirmation(token: str) -> Confirmation | None:
    """Return what a token confirms, or None if it is forged."""
    value = _read(token, CONFIRM)
    if isinstance(value, list) and len(value) == 2 and all(isinstance(part, int) for part in value):
        return Confirmation(*value)
    return None


def manage_token(subscriber: int) -> str:
    """Return the token of a subscription; it is in each mail, and lasts as long as the subscription."""
    return signing.dumps(subscriber, salt=MANAGE)


def read_managed(token: str) -> int | None:
    """Return whose subscription a token manages, or None if it is forged."""
    value = _read(token, MANAGE)
    return value if isinstance(value, int) else None


def _read(token: str, salt: str) -> object:
    try:
        return signing.loads(token, salt=salt)
    except (signing.BadSignature, ValueError):
        return None
