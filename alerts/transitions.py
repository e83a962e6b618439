"""What a message changes about an alert: one table of cases. Pure.

The sender's times decide; without them, the order of arrival.
"""

import datetime as dt
import enum
from typing import Protocol

from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertStatus, Ending


class Transition(enum.Enum):
    """A message's meaning for an alert."""

    NEW = "new"
    REPEATED = "repeated"
    REFIRED = "refired"  # after an end, or with a new start
    RESOLVED = "resolved"
    ENDED_UNSEEN = "ended unseen"  # never seen firing, or expired already
    STALE = "stale"  # of an earlier time
    NOTHING = "nothing"


# so many changes of status within so many seconds are flapping
FLAP_CHANGES = 6
FLAP_SECONDS = 30 * 60


class AlertSnapshot(Protocol):
    """An alert as known so far."""

    status: str
    starts_at: dt.datetime
    ended_by: str


def next_state(known: AlertSnapshot | None, update: AlertUpdate) -> Transition:
    """Return what a FIRE or RESOLVE update means."""
    if update.action == Action.RESOLVE:
        return _next_after_end(known, update)
    if known is None:
        return Transition.NEW
    if known.status == AlertStatus.FIRING:
        is_newer = update.starts_at is not None and update.starts_at > known.starts_at
        return Transition.REFIRED if is_newer else Transition.REPEATED
    return _next_after_return(known, update)


def _next_after_end(known: AlertSnapshot | None, update: AlertUpdate) -> Transition:
    if known is None:
        return Transition.ENDED_UNSEEN if update.starts_at else Transition.NOTHING
    if known.status == AlertStatus.RESOLVED:
        return Transition.ENDED_UNSEEN if _is_news_of_an_end(known, update) else Transition.NOTHING
    ended = update.starts_at or update.ends_at
    return Transition.STALE if ended is not None and ended < known.starts_at else Transition.RESOLVED


def _is_news_of_an_end(known: AlertSnapshot, update: AlertUpdate) -> bool:
    if update.is_expiry or update.starts_at is None:
        return False
    is_same = update.starts_at == known.starts_at and known.ended_by == Ending.EXPIRY
    return is_same or update.starts_at > known.starts_at


def _next_after_return(known: AlertSnapshot, update: AlertUpdate) -> Transition:
    """Return what firing after an end means: an expired alert still fires."""
    if update.starts_at is None or update.starts_at > known.starts_at:
        return Transition.REFIRED
    if update.starts_at == known.starts_at and known.ended_by == Ending.EXPIRY:
        return Transition.REFIRED
    return Transition.STALE


def with_change(changes: list[int], at: dt.datetime) -> list[int]:
    """Return the recent changes of status (seconds since 1970) with this one."""
    now = int(at.timestamp())
    return [*(moment for moment in changes if now - moment < FLAP_SECONDS), now][-FLAP_CHANGES:]


def is_flapping(changes: list[int], at: dt.datetime) -> bool:
    """Return whether the status changed too often lately."""
    return len(changes) >= FLAP_CHANGES and int(at.timestamp()) - changes[-FLAP_CHANGES] < FLAP_SECONDS


# An early end with its own time, but not the start's, changes nothing on arrival. It is kept while senders
# retry, so that the start opens nothing that nobody would end.
EARLY_KEPT = dt.timedelta(hours=1)
EARLY_AHEAD = dt.timedelta(minutes=1)  # an end further ahead would hide what fires until then


def may_be_out_of_order(update: AlertUpdate, received_at: dt.datetime) -> bool:
    if update.action != Action.RESOLVE or update.is_expiry or update.starts_at is not None or update.ends_at is None:
        return False
    return update.ends_at <= received_at + EARLY_AHEAD


def may_be_late(update: AlertUpdate, known: AlertSnapshot | None) -> bool:
    is_over = known is None or known.status == AlertStatus.RESOLVED
    return is_over and update.action == Action.FIRE and update.starts_at is not None


def is_late(update: AlertUpdate, received_at: dt.datetime, *, ended_at: dt.datetime, heard_at: dt.datetime) -> bool:
    return update.starts_at is not None and ended_at > update.starts_at and heard_at >= received_at - EARLY_KEPT
