"""Signatures in a header: HMAC-SHA256 of the body, in hexadecimal."""

import hashlib
import hmac

from intake.requests import IntakeError, IntakeRequest


def check_hmac(request: IntakeRequest, secret: str, *, header: str, prefix: str = "") -> None:
    """Compare the signature in `header` with that of the body as it was sent, in constant time.

    Raises IntakeError (403) for a signature that is missing or wrong, unless the secret is empty.
    """
    if not secret:
        return
    given = request.headers.get(header, "").strip()
    if not given:
        raise IntakeError(
            f"The {header} header is missing: the sender must sign with this source's secret.", status=403
        )
    expected = prefix + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise IntakeError("The signature does not match the body and this source's secret.", status=403)
