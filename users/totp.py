"""Time-based one-time codes: RFC 6238 with SHA-1, six digits and 30 seconds, as apps expect."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
DRIFT = 1  # steps that a clock may be off
SECRET_BYTES = 20


def new_secret() -> str:
    """Return a random secret in Base32."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """Return the code of a step (RFC 4226)."""
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_at(now: float) -> int:
    """Return the step of a time, in seconds since 1970."""
    return int(now) // STEP_SECONDS


def matching_step(secret: str, code: str, now: float, *, after: int) -> int | None:
    """Return the step whose code this is, of those later than `after`."""
    present, found = step_at(now), None
    for step in range(present - DRIFT, present + DRIFT + 1):
        is_right = secrets.compare_digest(code_at(secret, step).encode(), code.encode())
        if is_right and step > after and found is None:
            found = step
    return found


def address_of(secret: str, *, account: str, issuer: str) -> str:
    """Return the otpauth address that apps read from a QR code."""
    values = {"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{urlencode(values, quote_via=quote)}"
