"""What becomes of a mail; pure."""

from dataclasses import dataclass
from enum import StrEnum

from notifications.channels.email.inbound.authenticity import Verdict


class Action(StrEnum):
    OPEN = "open"
    COMMENT = "comment"
    HOLD = "hold"


@dataclass(frozen=True)
class Target:
    """The incident a mail is about.

    `is_reply`: it answers our mail. `is_proven`: which went to this sender.
    """

    incident: int
    is_reply: bool
    is_proven: bool = False


@dataclass(frozen=True)
class Facts:
    """`policy` is INBOUND_FROM; `is_accepted`: an administrator vouched for it."""

    policy: str
    has_sender: bool
    is_person: bool
    verdict: Verdict
    target: Target | None = None
    is_over_cap: bool = False
    is_accepted: bool = False


@dataclass(frozen=True)
class Decision:
    action: Action
    as_person: bool = False
    reason: str = ""


NO_SENDER = "From does not name exactly one sender."
NOT_KNOWN = "No active person here has verified the sender's address."
OVER_CAP = "The sender has sent too many mails within an hour (INBOUND_PER_HOUR)."
NOBODY = "Mails do not open incidents (INBOUND_FROM)."


def decide(facts: Facts) -> Decision:
    """Decide on a mail that a human wrote."""
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
