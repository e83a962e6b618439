"""A new key between the request that makes it and the page that shows it.

It waits in the session of who made it, sealed and for a quarter of an hour, so that Back and a reload show it again;
the table of sessions alone does not give it away.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest

from intake.models import Source

SHOWN_SECONDS = 15 * 60


def remember(request: HttpRequest, source: Source, key: str) -> None:
    """Keep the key for the page that shows it."""
    request.session[_name(source)] = _seal().encrypt(key.encode()).decode()


def recall(request: HttpRequest, source: Source) -> str | None:
    """The key that was made a short time ago and not yet copied."""
    sealed = request.session.get(_name(source), "")
    try:
        return _seal().decrypt(sealed, ttl=SHOWN_SECONDS).decode()
    except InvalidToken:
        return None


def drop(request: HttpRequest, source: Source) -> None:
    """Forget the key: whoever made it has it."""
    request.session.pop(_name(source), None)


def _name(source: Source) -> str:
    return f"new_key_{source.pk}"


def _seal() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"new key:{settings.SECRET_KEY}".encode()).digest()))
