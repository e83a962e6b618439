"""Hold a new key, sealed in its maker's session for a quarter of an hour, for the page that shows it."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest

from intake.models import Source

SHOWN_SECONDS = 15 * 60


def remember(request: HttpRequest, source: Source, key: str) -> None:
    """Hold the key for the page that shows it."""
    request.session[_name(source)] = _seal().encrypt(key.encode()).decode()


def recall(request: HttpRequest, source: Source) -> str | None:
    """Return the key that was made lately and not yet copied."""
    sealed = request.session.get(_name(source), "")
    try:
        return _seal().decrypt(sealed, ttl=SHOWN_SECONDS).decode()
    except InvalidToken:
        return None


def drop(request: HttpRequest, source: Source) -> None:
    """Drop the key: its maker has it."""
    request.session.pop(_name(source), None)


def _name(source: Source) -> str:
    return f"new_key_{source.pk}"


def _seal() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"new key:{settings.SECRET_KEY}".encode()).digest()))
