"""The earlier systems' words, in capitals, and ours. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.api.problems import refuse
from core.severity import PRIORITY_OF_WORD, SEVERITY_OF_WORD
from incidents.vocabulary import STATUS_OF_WORD

PRIORITY_OF_SEVERITY = {"critical": "p1", "high": "p2", "medium": "p3", "low": "p4"}
SEVERITY_OF_PRIORITY = {priority: severity for severity, priority in PRIORITY_OF_SEVERITY.items()}


def status_of(value: Any) -> str:
    """Return our word for a status; 400 for an unknown one."""
    return _known("status", value, STATUS_OF_WORD)


def severity_of(value: Any) -> str:
    """Return our word for a severity; 400 for an unknown one."""
    return _known("severity", value, SEVERITY_OF_WORD)


def priority_of(value: Any) -> str:
    """Return p1 to p4 for itself or for a severity's word; 400 for an unknown one."""
    word = _known("priority", value, [*PRIORITY_OF_SEVERITY, *PRIORITY_OF_WORD])
    return PRIORITY_OF_SEVERITY.get(word, word)


def shown(word: str) -> str:
    """Return one of our words as earlier systems write it."""
    return word.upper()


def _known(field: str, value: Any, known: Iterable[str] | Mapping[str, Any]) -> str:
    word = value.strip().lower().replace(" ", "_").replace("-", "_") if isinstance(value, str) else ""
    if word not in known:
        refuse(field, f"{value} is not one of {', '.join(map(shown, known))}.")
    return word
