"""Sources and their keys."""

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
from django.utils.translation import gettext as _

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
MAX_KEYS = 2
CACHED_SECONDS = 1.0
MAX_CACHED = 10_000
LOGS_SNIPPET = """\
curl {url}/api/v1/logs/ -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
  -d '{"level": "error", "service": "checkout", "message": "Payment refused"}'
"""

# until when, and which source
_cache: TLRUCache[str, tuple[float, Source | None]] = TLRUCache(MAX_CACHED, lambda _key, entry, _now: entry[0])
_lock = threading.Lock()


@unit_of_work
def create_key(source: Source, *, by: User | None = None) -> tuple[SourceKey, str]:
    """Return a new key's row and text, which is not stored. Raises Conflict past MAX_KEYS."""
    Source.objects.select_for_update().get(pk=source.pk)
    if source.keys.count() >= MAX_KEYS:
        raise Conflict(
            _("%(source)s has %(keys)s keys already; revoke one first.") % {"source": source.name, "keys": MAX_KEYS},
            code="too_many_keys",
        )
    text = "".join(secrets.choice(ALPHABET) for _number in range(KEY_LENGTH))
    key = SourceKey.objects.create(source=source, digest=digest_of(text), prefix=text[:4])
    _record(source, by, ("", f"{key} created"))
    return key, text


@unit_of_work
def revoke_key(key: SourceKey, *, by: User | None = None) -> None:
    """Delete a key; every process drops it within a second."""
    _record(key.source, by, (f"{key}", "revoked"))
    key.delete()
    clear_cache()


def _record(source: Source, by: User | None, change: tuple[str, str]) -> None:
    if by is not None:
        with acting(by):
            write(source, LogEntry.Action.UPDATE, {"keys": change})


def source_of(key: str) -> Source | None:
    """Return a key's enabled source, cached for a second."""
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
    """Return whether `source_of` needs no database now."""
    with _lock:
        known = _cache.get(digest_of(key))
    return known is not None and known[0] > time.monotonic() + 0.1


def clear_cache() -> None:
    """Drop this process's keys, now and after the commit."""
    _empty_cache()
    transaction.on_commit(_empty_cache)  # others may have cached the old ones meanwhile


def _empty_cache() -> None:
    with _lock:
        _cache.clear()


def digest_of(key: str) -> str:
    """Return what is stored of a key; random keys need no salt."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def snippet_for(source: Source, key: str, *, url: str = "") -> str:
    """Return what to paste into the sender, with this server's address: PUBLIC_URL unless given."""
    text = LOGS_SNIPPET if source.kind == LOGS else payload_readers()[source.kind].SNIPPET
    url = (url or settings.PUBLIC_URL).rstrip("/")
    parts = urlsplit(url)
    # not `format`: other braces are the tool's
    for name, value in {"url": url, "scheme": parts.scheme, "host": parts.netloc, "key": key}.items():
        text = text.replace(f"{{{name}}}", value)
    return text
