"""Suggest team, category and severity, as past incidents teach."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from incidents.models import Incident


@dataclass(frozen=True)
class Reason:
    """A word or field of the incident that speaks for a suggestion; `kind` is word, service, location, category, ….

    `weight` is how much it adds to the odds, as a natural logarithm.
    """

    kind: str
    value: str
    weight: float


@dataclass(frozen=True)
class Guess:
    """What one field may be: ranked values with their confidence (0 to 1), at most three, best first.

    Values are {id, name} of teams, slugs of categories and words of severities.
    """

    ranked: list[dict[str, Any]]
    confidence: float
    because: list[Reason]
    is_current: bool


@dataclass(frozen=True)
class Routing:
    """What past incidents suggest, None where they tell nothing; `confidence` is the lowest of what is told."""

    id: str
    team: dict[str, Any] | None
    category: str | None
    severity: str | None
    confidence: float
    because: list[Reason] = field(default_factory=list)
    guesses: Mapping[str, Guess] = field(default_factory=dict)


def routing_of(incident: Incident) -> list[Routing]:
    """Return what is suggested for an incident, best first; nothing where too little is known."""
    return []
