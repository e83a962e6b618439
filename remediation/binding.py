"""What an approval binds, as digests. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from remediation.steps.port import Phase, Target


def digest_of(value: Any) -> str:
    """Return SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def run_digest(
    version: str,
    incident: int,
    parameters: Mapping[str, Any],
    targets: Sequence[Sequence[Target]],
    secrets: Mapping[str, str],
) -> str:
    """Return the digest of a version's digest, the parameters, the targets of each step, and when secrets were set."""
    found = [[[one.kind, one.name, dict(one.details)] for one in of_step] for of_step in targets]
    return digest_of([version, incident, dict(parameters), found, dict(secrets)])


def target_key(target: Target) -> str:
    """Return the key under which runs exclude each other."""
    return digest_of([target.kind, target.name])


def idempotency_key(run: int, digest: str, target: int, phase: Phase) -> str:
    """Return the key of a phase, the same at each attempt."""
    return digest_of([run, digest, target, phase])
