"""Sources and the keys that let their senders in."""

import hashlib
import secrets
import string
import threading
import time
from urllib.parse import urlsplit

from auditlog.models import LogEntry
from cachetools import TLRUCache
from django.conf import settings
from django.db import transaction

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict
from intake.models import Source, SourceKey
from intake.readers import payload_readers
from intake.vocabulary import LOGS
from users.audit import write
from users.models import User

KEY_LENGTH = 32
ALPHABET = string.ascii_lowercase + string.digits
MAX_KEYS = 2  # so that one can be rotated
CACHED_SECONDS = 1.0
MAX_CACHED = 10_000
LOGS_SNIPPET = """\
curl {url}/api/v1/logs/ -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
  -d '{"level": "error", "service": "checkout", "message": "Payment refused"}'
"""

# Until when, and which source.
_cache: TLRUCache[str, tuple[float, Source | None]] = TLRUCache(MAX_CACHED, lambda _key, entry, _now: entry[0])
_lock = threading.Lock()


@unit_of_work
def create_key(source: Source, *, by: User | None = None) -> tuple[SourceKey, str]:
    """Create a key and return it with its text, which is not stored. Raises Conflict when two are live."""
    Source.objects.select_for_update().get(pk=source.pk)
    if source.keys.count() >= MAX_KEYS:
        raise Conflict(f"{source.name} has {MAX_KEYS} keys already; revoke one first.", code="too_many_keys")
    text = "".join(secrets.choice(ALPHABET) for _ in range(KEY_LENGTH))
    key = SourceKey.objects.create(source=source, digest=digest_of(text), prefix=text[:4])
    _record(source, by, ("", f"{key} created"))
    return key, text


@unit_of_work
def revoke_key(key: SourceKey, *, by: User | None = None) -> None:
    """Delete a key; every server process has dropped it from its cache within a second."""
    _record(key.source, by, (f"{key}", "revoked"))
    key.delete()
    clear_cache()


def _record(source: Source, by: User | None, change: tuple[str, str]) -> None:
    if by is not None:
        with acting(by):
            write(source, LogEntry.Action.UPDATE, {"keys": change})


def source_of(key: str) -> Source | None:
    """Return the enabled source of a key, cached for a second. By digest, so that timing tells nothing of other
    keys."""
    digest = digest_of(key)
    with _lock:
        known = _cache.get(digest)
    if known is not None:
        return known[1]
    begun = time.monotonic()
    source = Source.objects.filter(keys__digest=digest, is_enabled=True).first()
    with _lock:
        _cache[digest] = (begun + CACHED_SECONDS, source)
    return source


def is_cached(key: str) -> bool:
    """Return whether `source_of` would answer now without asking the database."""
    with _lock:
        known = _cache.get(digest_of(key))
    return known is not None and known[0] > time.monotonic() + 0.1


def clear_cache() -> None:
    """Look every key of this process up anew, now and once the transaction is committed."""
    _empty_cache()
    transaction.on_commit(_empty_cache)  # what others looked up meanwhile was the old


def _empty_cache() -> None:
    with _lock:
        _cache.clear()


def digest_of(key: str) -> str:
    """Return what is stored of a key. Keys are random and long: no salt, no slow hash is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def snippet_for(source: Source, key: str) -> str:
    """Return what to paste into the sender, with our address, whole and in parts, and its key."""
    text = LOGS_SNIPPET if source.kind == LOGS else payload_readers()[source.kind].SNIPPET
    url = settings.PUBLIC_URL.rstrip("/")
    parts = urlsplit(url)
    # Not `format`: other braces are the tool's own.
    for name, value in {"url": url, "scheme": parts.scheme, "host": parts.netloc, "key": key}.items():
        text = text.replace(f"{{{name}}}", value)
    return text
