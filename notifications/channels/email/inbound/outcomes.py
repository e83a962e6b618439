"""What became of a mail that came in."""

from dataclasses import dataclass

from incidents.models import Incident
from notifications.vocabulary import InboundState
from users.models import User


@dataclass(frozen=True)
class Outcome:
    """Its state, why, and what it led to."""

    state: InboundState
    reason: str = ""
    incident: Incident | None = None
    user: User | None = None
