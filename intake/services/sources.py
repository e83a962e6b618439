"""Sources and the keys that let their senders in."""

import hashlib
import secrets
import string
import threading
import time

from django.db import transaction

from core.db.transactions import unit_of_work
from core.errors import Conflict
from intake.models import Source, SourceKey

KEY_LENGTH = 32
ALPHABET = string.ascii_lowercase + string.digits
MAX_KEYS = 2  # so that one can be rotated
REMEMBERED_SECONDS = 1.0
MAX_REMEMBERED = 10_000

_remembered: dict[str, tuple[float, Source | None]] = {}
_lock = threading.Lock()


@unit_of_work
def issue_key(source: Source) -> str:
    """A new key for the source, told this once and kept as its SHA-256. Raises Conflict when two are live."""
    Source.objects.select_for_update().get(pk=source.pk)
    if source.keys.count() >= MAX_KEYS:
        raise Conflict(f"{source.name} has {MAX_KEYS} keys already; revoke one first.", code="too_many_keys")
    key = "".join(secrets.choice(ALPHABET) for _ in range(KEY_LENGTH))
    SourceKey.objects.create(source=source, digest=digest_of(key), prefix=key[:4])
    return key


@unit_of_work
def revoke_key(key: SourceKey) -> None:
    """Take a key out of use; every server process has forgotten it within a second."""
    key.delete()
    transaction.on_commit(forget)


def source_of(key: str) -> Source | None:
    """The enabled source that a key belongs to; None for any other. Remembered for a second, by digest.

    The key is looked up by its digest, so that the time it takes says nothing about keys that exist.
    """
    digest = digest_of(key)
    now = time.monotonic()
    known = _remembered.get(digest)
    if known is not None and known[0] > now:
        return known[1]
    source = Source.objects.filter(keys__digest=digest, is_enabled=True).first()
    with _lock:
        if len(_remembered) >= MAX_REMEMBERED:
            _remembered.clear()
        _remembered[digest] = (now + REMEMBERED_SECONDS, source)
    return source


def is_remembered(key: str) -> bool:
    """Whether `source_of` would answer now without asking the database."""
    known = _remembered.get(digest_of(key))
    return known is not None and known[0] > time.monotonic() + 0.1


def forget() -> None:
    """Look every key up anew."""
    _remembered.clear()


def digest_of(key: str) -> str:
    """What is stored of a key. Keys are random and long: no salt, no slow hash is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
