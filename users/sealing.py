"""Keep what signs people in unreadable in the database and its backups."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet
from django.conf import settings


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return what was sealed. Raises InvalidToken under another HISTORY_KEY."""
    return _box().decrypt(sealed.encode()).decode()


def keyed_digest(purpose: str, text: str) -> str:
    return hmac.new(_key(purpose), text.encode(), hashlib.sha256).hexdigest()


def _box() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_key("users.sealing")))


def _key(purpose: str) -> bytes:
    # HISTORY_KEY never changes; with SECRET_KEY, everybody would lose the second factor
    return hmac.new(settings.HISTORY_KEY.encode(), purpose.encode(), hashlib.sha256).digest()
