"""Ends that overtook their beginnings, of senders that tell an end's own time and not when it began.

Such an end changes nothing when it comes. It is remembered for an hour, in which senders try again what was not taken,
so that the beginning, when it comes, does not open what nobody would end.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from alerts.models import Alert, EarlyResolve
from alerts.updates import Action
from alerts.vocabulary import AlertStatus
from core.db import rows

if TYPE_CHECKING:
    from alerts.services.applying import Message

KEPT = dt.timedelta(hours=1)
AHEAD = dt.timedelta(minutes=1)  # an end that lies further ahead would hide what truly fires until then


class EarlyResolves:
    """Those that matter to the messages of one batch, by the key of the alert."""

    def __init__(self) -> None:
        self._known: dict[str, EarlyResolve] = {}
        self._news: dict[str, EarlyResolve] = {}

    def load(self, messages: Iterable["Message"], alerts: Mapping[str, Alert]) -> None:
        """Read what is known, in one query, or in none where no message may overtake or be overtaken."""
        keys = {one.key for one in messages if _may_overtake(one) or _may_be_late(one, alerts.get(one.key))}
        if keys:
            self._known = {end.key: end for end in EarlyResolve.objects.filter(key__in=keys)}

    def remember(self, message: "Message") -> None:
        """Take note of an end that changed nothing, if it is one that may have overtaken its beginning."""
        ended_at = message.draft.ends_at
        if ended_at is None or not _may_overtake(message):
            return
        end = self._known.setdefault(message.key, EarlyResolve(key=message.key))
        if end.ended_at is None or end.ended_at < ended_at:
            end.ended_at, end.received_at = ended_at, message.received_at
            self._news[message.key] = end

    def end_of(self, message: "Message", alert: Alert | None) -> "Message | None":
        """The end that came before this message of its beginning, as a message that tells both times."""
        end, draft = self._known.get(message.key), message.draft
        if end is None or draft.starts_at is None or not _may_be_late(message, alert):
            return None
        # Within the same moment it may as well have begun anew: better one too many than one that nobody hears of.
        if end.ended_at <= draft.starts_at or end.received_at < message.received_at - KEPT:
            return None
        return replace(message, draft=replace(draft, action=Action.RESOLVE, ends_at=end.ended_at))

    def save(self) -> None:
        """Write what was taken note of."""
        fresh: list[EarlyResolve] = []
        known: list[EarlyResolve] = []
        for end in self._news.values():
            (fresh if end._state.adding else known).append(end)
        rows.insert(*fresh)
        rows.update_many(known, ("ended_at", "received_at"))


def forget_early_ends(now: dt.datetime) -> int:
    """Delete some of those that were remembered for long enough; the number of them."""
    old = EarlyResolve.objects.filter(received_at__lt=now - KEPT).order_by("received_at")
    ids = list(old.values_list("pk", flat=True)[: rows.CHUNK])
    return EarlyResolve.objects.filter(pk__in=ids).delete()[0] if ids else 0


def _may_overtake(message: "Message") -> bool:
    draft = message.draft
    if draft.action != Action.RESOLVE or draft.is_expiry or draft.starts_at is not None or draft.ends_at is None:
        return False
    return draft.ends_at <= message.received_at + AHEAD


def _may_be_late(message: "Message", alert: Alert | None) -> bool:
    is_over = alert is None or alert.status == AlertStatus.RESOLVED
    return is_over and message.draft.action == Action.FIRE and message.draft.starts_at is not None
