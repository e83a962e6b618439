"""Claim due deliveries in one transaction: the lease, the attempts that begin, and the messages' answer tokens."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.db import rows
from core.db.clock import database_now
from core.db.prepared import Parameter
from core.db.transactions import unit_of_work
from notifications.audiences import Letter, letters_of
from notifications.channels.port import Channel
from notifications.models import Delivery, DeliveryAttempt
from notifications.services import limits, loading, tallies
from notifications.services.bundling import Claimed, bundle
from notifications.services.composing import Parcel
from notifications.services.needed import Causes, causes_of, hold_paused, reasons_against
from notifications.vocabulary import Kind, Outcome, State

__all__ = ["LEASE", "Claimed", "claim", "reasons_against", "renew"]

KIND: Any = Parameter("kind", Delivery._meta.get_field("channel"))
NOW: Any = Parameter("now", Delivery._meta.get_field("next_attempt_at"))
LEASE = dt.timedelta(seconds=20)
CLAIMED_COLUMNS = (
    *("state", "held_because", "next_attempt_at", "leased_until", "attempt_count", "first_attempt_at"),
    "bundle_count",
)
INTERRUPTED = "No outcome was recorded: the worker or the database was lost. The message may have arrived."


def claim(channel: Channel, free: int) -> list[Claimed]:
    """Claim up to `free` messages of a channel, the most urgent first."""
    now = database_now()
    if not rows.is_any(Delivery, "due", lambda: Delivery.objects.due_by(KIND, NOW), kind=channel.kind, now=now):
        return []
    claimed, parcels = _claim(channel, free, now)
    loading.compose_messages(parcels)  # nobody waits for a lock meanwhile
    return claimed


@unit_of_work
def _claim(channel: Channel, free: int, now: dt.datetime) -> tuple[list[Claimed], list[tuple[Claimed, Parcel]]]:
    granted = limits.take(channel, free, now)
    found = rows.select(
        Delivery,
        ("due", granted),
        lambda: rows.lock_available(Delivery.objects.due_by(KIND, NOW))[:granted],
        kind=channel.kind,
        now=now,
    )
    causes, letters = causes_of(found), letters_of(found)
    claimed = bundle(_still_wanted(found, causes, letters, now), now)
    limits.give_back(channel, granted - len(claimed))
    first = [one.delivery for one in claimed if one.delivery.first_attempt_at is None]
    _write(claimed, now)
    if granted < free:
        limits.hold_excess(channel, now)
    parcels = loading.load(channel, claimed, causes, letters, now)
    tallies.count_first_attempts(channel.kind, first)
    return claimed, parcels


def _still_wanted(
    found: Sequence[Delivery], causes: Causes, letters: Mapping[int, Letter | str], now: dt.datetime
) -> list[Delivery]:
    """Return what is still to be sent; cancel or hold the others."""
    refused = {number: letter for number, letter in letters.items() if isinstance(letter, str)}
    reasons = {**reasons_against(found, causes), **refused}
    unwanted = []
    for delivery in found:
        reason = reasons.get(delivery.pk, "")
        if "catch_up_since" in delivery.content and not loading.passed_during(delivery).exists():
            reason = "Nothing ended during the quiet hours."
        if delivery.kind == Kind.CODE and delivery.gives_up_at is not None and delivery.gives_up_at <= now:
            reason = "The code has expired."
        if reason:
            delivery.state, delivery.reason = State.CANCELLED, reason
            delivery.next_attempt_at = delivery.leased_until = None
            unwanted.append(delivery)
    rows.update_many(unwanted, ["state", "reason", "next_attempt_at", "leased_until"])
    _free_carried(unwanted, now)
    held = {delivery.pk for delivery in hold_paused(found, causes, now)}
    return [delivery for delivery in found if delivery.state != State.CANCELLED and delivery.pk not in held]


def _free_carried(carriers: Collection[Delivery], now: dt.datetime) -> None:
    """Have those that cancelled deliveries carried go on by themselves."""
    if ids := [carrier.pk for carrier in carriers if carrier.bundle_count]:
        Delivery.objects.pending().filter(bundle__in=ids).update(bundle=None, next_attempt_at=now)


def _write(claimed: Sequence[Claimed], now: dt.datetime) -> None:
    """Record the leases and the attempts that begin, and those that a lost worker left."""
    if interrupted := [one.delivery.pk for one in claimed if one.delivery.leased_until is not None]:
        left = DeliveryAttempt.objects.filter(delivery__in=interrupted, outcome=Outcome.STARTED)
        left.update(outcome=Outcome.INTERRUPTED, ended_at=now, detail=INTERRUPTED)
    for one in claimed:
        delivery = one.delivery
        delivery.first_attempt_at = delivery.first_attempt_at or now
        delivery.held_because = ""
        if delivery.state == State.HELD:
            delivery.state = State.WAITING
        delivery.next_attempt_at = delivery.leased_until = now + LEASE
        delivery.attempt_count += 1
        one.attempt = DeliveryAttempt(delivery=delivery, number=delivery.attempt_count, at=now)
    rows.update_many([one.delivery for one in claimed], CLAIMED_COLUMNS)
    rows.insert(*(one.attempt for one in claimed if one.attempt is not None))


@unit_of_work
def renew(claimed: Sequence[Claimed]) -> None:
    """Hold on to what is still being sent."""
    until = database_now() + LEASE
    for one in claimed:
        mine = Delivery.objects.filter(pk=one.delivery.pk, attempt_count=one.delivery.attempt_count)
        mine = mine.filter(leased_until__isnull=False, next_attempt_at__isnull=False)
        if mine.update(leased_until=until, next_attempt_at=until):
            one.delivery.leased_until = until
