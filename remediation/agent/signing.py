"""Sign jobs with Ed25519, by a key that follows from SECRET_KEY. Pure."""

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = b"incident-response agent job 1\n"  # before what is signed, as in agent/incident_agent.py
_PURPOSE = b"remediation.agent.signing"


def sign(secret: str, job: Mapping[str, Any]) -> dict[str, str]:
    """Return a job's bytes and their signature, both in base64."""
    payload = json.dumps(job, sort_keys=True).encode()
    signature = _private_key(secret).sign(PREFIX + payload)
    return {"payload": base64.b64encode(payload).decode(), "signature": base64.b64encode(signature).decode()}


def public_key(secret: str) -> str:
    """Return in base64 what agents check signatures with."""
    return base64.b64encode(_private_key(secret).public_key().public_bytes_raw()).decode()


@lru_cache(maxsize=2)
def _private_key(secret: str) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)
