"""Hold a new key, sealed in its maker's session for 15 minutes."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest

from intake.models import Source

VISIBLE_SECONDS = 15 * 60


def remember(request: HttpRequest, source: Source, key: str) -> None:
    request.session[_name(source)] = _seal().encrypt(key.encode()).decode()


def recall(request: HttpRequest, source: Source) -> str | None:
    """Return the key not yet copied."""
    sealed = request.session.get(_name(source), "")
    try:
        return _seal().decrypt(sealed, ttl=VISIBLE_SECONDS).decode()
    except InvalidToken:
        return None


def drop(request: HttpRequest, source: Source) -> None:
    request.session.pop(_name(source), None)


def _name(source: Source) -> str:
    return f"new_key_{source.pk}"


def _seal() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"new key:{settings.SECRET_KEY}".encode()).digest()))
