"""What becomes of a mail: pure, from what was read and what is known of its sender."""

from dataclasses import dataclass
from enum import StrEnum

from notifications.channels.email.inbound.authenticity import Verdict


class Action(StrEnum):
    """What to do; COMMENT and OPEN act as the person, or as a stranger if nobody is known."""

    OPEN = "open"
    COMMENT = "comment"
    HOLD = "hold"


@dataclass(frozen=True)
class Target:
    """An incident that a mail is about.

    `is_reply`: it answers a mail of ours, rather than naming the incident in its subject. `is_proven`: that mail went
    to this very sender.
    """

    incident: int
    is_reply: bool
    is_proven: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known. `policy` is INBOUND_FROM; `is_accepted` says that an administrator vouched for the mail."""

    policy: str
    has_sender: bool
    is_person: bool  # exactly one active person has verified this address
    verdict: Verdict
    target: Target | None = None
    is_over_cap: bool = False
    is_accepted: bool = False


@dataclass(frozen=True)
class Decision:
    """What to do, in whose name, and why."""

    action: Action
    as_person: bool = False
    reason: str = ""


NO_SENDER = "From does not name exactly one sender."
NOT_KNOWN = "No active person here has verified the sender's address."
OVER_CAP = "The sender has sent too many mails within an hour (INBOUND_PER_HOUR)."
NOBODY = "Mails do not open incidents (INBOUND_FROM)."


def decide(facts: Facts) -> Decision:
    """Decide what becomes of a mail that a human wrote."""
    if not facts.has_sender and not facts.is_accepted:
        return Decision(Action.HOLD, reason=NO_SENDER)
    if facts.is_over_cap and not facts.is_accepted:
        return Decision(Action.HOLD, reason=OVER_CAP)
    is_genuine = facts.is_accepted or facts.verdict.is_genuine or bool(facts.target and facts.target.is_proven)
    if facts.is_person and is_genuine:
        return _of_person(facts)
    return _of_stranger(facts)


def _of_person(facts: Facts) -> Decision:
    if facts.target is not None:
        return Decision(Action.COMMENT, as_person=True)
    if facts.policy == "nobody" and not facts.is_accepted:
        return Decision(Action.HOLD, reason=NOBODY)
    return Decision(Action.OPEN, as_person=True)


def _of_stranger(facts: Facts) -> Decision:
    if facts.is_accepted:
        return Decision(Action.COMMENT if facts.target else Action.OPEN)
    if facts.policy == "anybody" and facts.target is None:
        return Decision(Action.OPEN)
    return Decision(Action.HOLD, reason=facts.verdict.because if facts.is_person else NOT_KNOWN)
