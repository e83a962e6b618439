"""Cut outputs, and take secrets out of them. Pure."""

import re
from collections.abc import Iterable

from assistant.redacting.secrets import secrets_in
from remediation.steps.port import MAX_OUTPUT

REMOVED = "[removed]"
CUT = "\n[cut]"
SHORTEST = 4  # characters of a secret that is searched for
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def cleaned(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without what looks like a secret or is one of these, at most MAX_OUTPUT characters."""
    for secret in sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True):
        text = text.replace(secret, REMOVED)
    # twice as much, so that what is cut in its middle is still known for a secret
    text = UNPRINTABLE.sub("\ufffd", text[: 2 * MAX_OUTPUT])
    pieces, at = [], 0
    for start, end in sorted(secrets_in(text)):
        if end <= at:
            continue
        if start >= at:
            pieces += [text[at:start], REMOVED]
        at = end
    text = "".join([*pieces, text[at:]])
    return text if len(text) <= MAX_OUTPUT else f"{text[: MAX_OUTPUT - len(CUT)]}{CUT}"
