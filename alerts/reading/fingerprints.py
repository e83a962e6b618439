"""An identity for alerts whose senders give none."""

import hashlib

from alerts.reading.values import text


def computed(*facts: object) -> str:
    """Return sixteen bytes in hexadecimal, the same for the same facts in the same order."""
    joined = "\0".join(text(fact) for fact in facts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]
