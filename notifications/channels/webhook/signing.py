"""Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md."""

import base64
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Sequence

from standardwebhooks import Webhook

PREFIX = "whsec_"
SECRET_BYTES = 32
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def message_id(key: str) -> str:
    """Return the webhook-id, the same at each attempt, without the dot that separates what is signed."""
    return f"msg_{key if _PLAIN.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()}"


def signed_headers(identity: str, content: bytes, keys: Sequence[str], now: dt.datetime) -> dict[str, str]:
    """Return the three headers; each key signs."""
    now = now.astimezone(dt.UTC)
    signatures = [Webhook(key).sign(identity, now, content.decode()) for key in keys]
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
