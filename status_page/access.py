"""Who may open a private page: holders of its key, of a cookie, or of a grant that a signed-in person was given.

All are bound to the key's digest: a new key ends them.
"""

import datetime as dt
import hashlib

from django.conf import settings
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare, salted_hmac

COOKIE = "status_access"
COOKIE_LIFE = dt.timedelta(days=30)
GRANT_LIFE = dt.timedelta(minutes=1)


def is_key(key: str, digest: str) -> bool:
    """Return whether this is the key."""
    return bool(key and digest) and constant_time_compare(hashlib.sha256(key.encode()).hexdigest(), digest)


def grant(digest: str, now: dt.datetime) -> str:
    """Return what lets somebody in within the next minute."""
    return _signed("grant", digest, now + GRANT_LIFE)


def is_grant(text: str, digest: str, now: dt.datetime) -> bool:
    return _is_valid("grant", text, digest, now)


def is_pass(text: str, digest: str, now: dt.datetime) -> bool:
    """Return whether a cookie's value still lets in."""
    return _is_valid("pass", text, digest, now)


def pass_of(header: str) -> str:
    """Return the cookie's value from the Cookie header."""
    return parse_cookie(header).get(COOKIE, "") if COOKIE in header else ""


def cookie(digest: str, now: dt.datetime, *, path: str) -> str:
    """Return the Set-Cookie header of who was let in."""
    value = _signed("pass", digest, now + COOKIE_LIFE)
    age = int(COOKIE_LIFE.total_seconds())
    secure = "; Secure" if settings.SECURE_TRANSPORT else ""
    return f"{COOKIE}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"


def _signed(purpose: str, digest: str, until: dt.datetime) -> str:
    end = int(until.timestamp())
    return f"{end}.{_seal(purpose, digest, end)}"


def _is_valid(purpose: str, text: str, digest: str, now: dt.datetime) -> bool:
    end, _dot, seal = text.partition(".")
    if not digest or not (end.isascii() and end.isdigit() and len(end) < 12) or int(end) <= now.timestamp():
        return False
    return constant_time_compare(seal, _seal(purpose, digest, int(end)))


def _seal(purpose: str, digest: str, end: int) -> str:
    return salted_hmac(f"status_page.{purpose}", f"{digest}.{end}", algorithm="sha256").hexdigest()
