"""X-Twilio-Signature: HMAC-SHA1 over the address and the form, sorted by name.

https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit


def is_signed(signature: str, url: str, form: Mapping[str, Sequence[str]], token: str) -> bool:
    """Return whether Twilio signed this request; `url` is the address that Twilio called, query included."""
    given = signature.encode("utf-8", "replace")
    # Twilio signs some addresses with the scheme's port and some without.
    return bool(token) and any(
        hmac.compare_digest(given, signature_of(spelling, form, token)) for spelling in _spellings(url)
    )


def signature_of(url: str, form: Mapping[str, Sequence[str]], token: str) -> bytes:
    """Return the signature, in Base64."""
    text = url + "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
    return base64.b64encode(hmac.new(token.encode(), text.encode("utf-8", "replace"), hashlib.sha1).digest())


def _spellings(url: str) -> list[str]:
    parts = urlsplit(url)
    port = 443 if parts.scheme == "https" else 80
    if parts.port is None:
        return [url, urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))]
    if parts.port == port:
        return [url, urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0]))]
    return [url]
