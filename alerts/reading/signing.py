"""HMAC-SHA256 signatures in a header."""

import hashlib
import hmac

from intake.requests import IntakeError, IntakeRequest


def check_hmac(request: IntakeRequest, secret: str, *, header: str, prefix: str = "") -> None:
    """Raise IntakeError (403) for a missing or wrong signature, unless the secret is empty."""
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
