"""What a message changes about an alert: one table of cases. Pure.

Messages may be repeated, late or out of order. What a sender's own times say decides; where it gives none, the order of
arrival does.
"""

import datetime as dt
import enum
from dataclasses import dataclass

from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertStatus, Ending


class Transition(enum.Enum):
    """What a message means for an alert."""

    NEW = "new"  # fires for the first time
    REPEATED = "repeated"  # fires, as we know
    REFIRED = "refired"  # fires again after an end, or with a new beginning
    RESOLVED = "resolved"  # is over
    ENDED_UNSEEN = "ended unseen"  # is over, and we never heard that it fired, or took it for over already
    STALE = "stale"  # tells of an earlier time
    NOTHING = "nothing"  # nothing to end


# How many changes of status within how many seconds make an alert flap; it is calm after as long without one.
FLAP_CHANGES = 6
FLAP_SECONDS = 30 * 60


@dataclass(frozen=True)
class AlertSnapshot:
    """What we know of the alert so far."""

    status: AlertStatus
    starts_at: dt.datetime
    ends_at: dt.datetime | None = None
    ended_by: str = ""


def next_state(known: AlertSnapshot | None, draft: AlertUpdate) -> Transition:
    """The meaning of a FIRE or RESOLVE draft."""
    if draft.action == Action.RESOLVE:
        return _fold_end(known, draft)
    if known is None:
        return Transition.NEW
    if known.status == AlertStatus.FIRING:
        is_newer = draft.starts_at is not None and draft.starts_at > known.starts_at
        return Transition.REFIRED if is_newer else Transition.REPEATED
    return _fold_return(known, draft)


def _fold_end(known: AlertSnapshot | None, draft: AlertUpdate) -> Transition:
    if known is None:
        return Transition.ENDED_UNSEEN if draft.starts_at else Transition.NOTHING
    if known.status == AlertStatus.RESOLVED:
        return Transition.ENDED_UNSEEN if _is_news_of_an_end(known, draft) else Transition.NOTHING
    ended = draft.starts_at or draft.ends_at
    return Transition.STALE if ended is not None and ended < known.starts_at else Transition.RESOLVED


def _is_news_of_an_end(known: AlertSnapshot, draft: AlertUpdate) -> bool:
    """Whether a late message that it fires must not make it fire again: its sender ends a firing that we have not heard
    of yet, or the very one that we took for over because we heard nothing."""
    if draft.is_expiry or draft.starts_at is None:
        return False
    is_same = draft.starts_at == known.starts_at and known.ended_by == Ending.EXPIRY
    return is_same or draft.starts_at > known.starts_at


def _fold_return(known: AlertSnapshot, draft: AlertUpdate) -> Transition:
    """It fires though it is over: a new firing, unless the message tells of the one that ended.

    What merely expired has not ended: heard of again, it fires still.
    """
    if draft.starts_at is None or draft.starts_at > known.starts_at:
        return Transition.REFIRED
    if draft.starts_at == known.starts_at and known.ended_by == Ending.EXPIRY:
        return Transition.REFIRED
    return Transition.STALE


def with_change(changes: list[int], at: dt.datetime) -> list[int]:
    """The latest changes of status (seconds since 1970), this one among them; older ones than matter are dropped."""
    now = int(at.timestamp())
    return [*(moment for moment in changes if now - moment < FLAP_SECONDS), now][-FLAP_CHANGES:]


def is_flapping(changes: list[int], at: dt.datetime) -> bool:
    """Whether the status changed FLAP_CHANGES times within the last FLAP_SECONDS."""
    return len(changes) >= FLAP_CHANGES and int(at.timestamp()) - changes[-FLAP_CHANGES] < FLAP_SECONDS
