"""Claim due deliveries: what is still to be sent, how much of it now, and as how many messages.

All of a claim is one transaction: the lease, the attempts that begin, and the answer tokens the messages carry.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from core.db import rows
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from incidents.models import Incident
from incidents.vocabulary import OPEN_STATUSES
from notifications.channels.port import Address, Channel, Failed, Message
from notifications.models import Delivery, DeliveryAttempt, Pace
from notifications.pacing import CALM_SECONDS, ROOM_BURST, gap_seconds
from notifications.services import limits, loading, tallies
from notifications.vocabulary import Kind, Outcome, State
from paging.models import Page

LEASE = dt.timedelta(seconds=20)
CLAIMED_COLUMNS = (
    *("state", "held_because", "next_attempt_at", "leased_until", "attempt_count", "first_attempt_at"),
    "bundle_count",
)
INTERRUPTED = "No outcome was recorded: the worker or the database was lost. The message may have arrived."


@dataclass
class Claimed:
    """A delivery under lease, those it carries, and the message; or why it cannot be sent."""

    delivery: Delivery
    carried: list[Delivery] = field(default_factory=list)
    attempt: DeliveryAttempt | None = None
    message: Message | None = None
    address: Address | None = None
    failure: Failed | None = None


@unit_of_work
def claim(channel: Channel, free: int) -> list[Claimed]:
    """Claim up to `free` messages of a channel, the most urgent first."""
    now = database_now()
    due = Delivery.objects.filter(channel=channel.kind, next_attempt_at__lte=now)
    if not free or not due.exists():  # looking locks nothing
        return []
    granted = limits.take(channel, free, now)
    found = list(rows.lock_available(due.order_by("priority", "next_attempt_at"))[:granted])
    claimed = _bundle(_still_wanted(found, now), now)
    limits.give_back(channel, granted - len(claimed))
    _write(claimed, now)
    if granted < free:
        limits.hold_excess(channel, now)
    loading.load_messages(channel, claimed, now)
    return claimed


def _still_wanted(found: Sequence[Delivery], now: dt.datetime) -> list[Delivery]:
    """Cancel pages that need no answer any more, and codes that have expired; return the others."""
    reasons = reasons_against(found)
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
    return [delivery for delivery in found if delivery.state != State.CANCELLED]


def reasons_against(deliveries: Sequence[Delivery]) -> dict[int, str]:
    """Return, by id, why pages must not be sent: the one question that each send asks."""
    pages = [delivery for delivery in deliveries if delivery.kind == Kind.PAGE]
    of_pages = Page.objects.filter(pk__in={delivery.page_id for delivery in pages})
    stamps = {pk: stamped for pk, *stamped in of_pages.values_list("pk", "answered_at", "cancelled_at")}
    of_incidents = Incident.objects.filter(pk__in={delivery.incident_id for delivery in pages})
    states = {pk: state for pk, *state in of_incidents.values_list("pk", "status", "deleted_at")}
    reasons = {}
    for delivery in pages:
        status, deleted_at = states.get(delivery.incident_id or 0, (None, None))
        answered_at, cancelled_at = stamps.get(delivery.page_id or 0, (None, None))
        if status is None or deleted_at is not None:
            reasons[delivery.pk] = "The incident was deleted."
        elif status not in OPEN_STATUSES:
            reasons[delivery.pk] = f"The incident is {status}."
        elif answered_at or cancelled_at or delivery.page_id not in stamps:
            reasons[delivery.pk] = "Withdrawn: no answer is needed any more."
    return reasons


def _free_carried(carriers: Collection[Delivery], now: dt.datetime) -> None:
    """Have those that cancelled deliveries carried go on by themselves."""
    if ids := [carrier.pk for carrier in carriers if carrier.bundle_count]:
        Delivery.objects.pending().filter(bundle__in=ids).update(bundle=None, next_attempt_at=now)


def _bundle(found: Sequence[Delivery], now: dt.datetime) -> list[Claimed]:
    """Make messages of the rows: those to one place share one, or wait for the next."""
    groups: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in found:
        groups[delivery.pace_key].append(delivery)
    chosen = [Claimed(delivery) for delivery in groups.pop("", [])]
    paces = _locked_paces(sorted(groups))
    for key, group in groups.items():
        chosen += _bundle_group(group, paces[key], now)
    rows.update_many(list(paces.values()), ["last_at", "level"])
    return sorted(chosen, key=lambda one: (one.delivery.priority, one.delivery.due_at, one.delivery.pk))


def _bundle_group(group: list[Delivery], pace: Pace, now: dt.datetime) -> list[Claimed]:
    is_room = group[0].room_id is not None
    if pace.last_at is None or (now - pace.last_at).total_seconds() > CALM_SECONDS:
        pace.level = 0
    gap = gap_seconds(group[0].kind, pace.level, is_room=is_room)
    release_at = pace.last_at + dt.timedelta(seconds=gap) if pace.last_at is not None else now
    repeated = [delivery for delivery in group if delivery.attempt_count]
    if release_at > now and not repeated:
        _hold(group, release_at, now)
        return []
    pace.last_at = now
    if is_room and pace.level < ROOM_BURST:
        pace.level += len(group)
        return [Claimed(delivery) for delivery in group]
    pace.level += 1
    lead = min(repeated or group, key=lambda delivery: (delivery.importance != "high", delivery.due_at, delivery.pk))
    return [Claimed(lead, _carry(lead, now))]


def _hold(group: Sequence[Delivery], release_at: dt.datetime, now: dt.datetime) -> None:
    """Hold all that is due to a place until the next message to it."""
    due = Delivery.objects.pending().filter(pace_key=group[0].pace_key, next_attempt_at__lte=now)
    because = "Gathered into the next message to this recipient"
    due.update(state=State.HELD, held_because=because, next_attempt_at=release_at)


def _carry(lead: Delivery, now: dt.datetime) -> list[Delivery]:
    """Have the lead carry all else that is due to its place; those that need no answer any more are cancelled."""
    due = Delivery.objects.pending().filter(pace_key=lead.pace_key, next_attempt_at__lte=now).exclude(pk=lead.pk)
    due.filter(leased_until__isnull=True, bundle_count=0).update(
        bundle=lead, state=State.WAITING, held_because="", next_attempt_at=None
    )
    carried = list(Delivery.objects.carried_by(lead.pk).order_by("id"))
    reasons = reasons_against(carried)
    for reason in set(reasons.values()):
        ids = [pk for pk, found in reasons.items() if found == reason]
        Delivery.objects.pending().filter(pk__in=ids).update(state=State.CANCELLED, reason=reason)
    carried = [delivery for delivery in carried if delivery.pk not in reasons]
    lead.bundle_count = len(carried)
    return carried


def _locked_paces(keys: Sequence[str]) -> dict[str, Pace]:
    if not keys:
        return {}
    known = set(Pace.objects.filter(key__in=keys).values_list("key", flat=True))
    Pace.objects.bulk_create([Pace(key=key) for key in keys if key not in known], ignore_conflicts=True)
    return {pace.key: pace for pace in rows.select_in(Pace, "key", keys, lock=True)}


def _write(claimed: Sequence[Claimed], now: dt.datetime) -> None:
    """Record the leases and the attempts that begin, and those that a lost worker left."""
    if interrupted := [one.delivery.pk for one in claimed if one.delivery.leased_until is not None]:
        left = DeliveryAttempt.objects.filter(delivery__in=interrupted, outcome=Outcome.STARTED)
        left.update(outcome=Outcome.INTERRUPTED, ended_at=now, detail=INTERRUPTED)
    first = [one.delivery for one in claimed if one.delivery.first_attempt_at is None]
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
    if first:
        tallies.count_first_attempts(first[0].channel, first)


@unit_of_work
def renew(claimed: Sequence[Claimed]) -> None:
    """Hold on to what is still being sent."""
    until = database_now() + LEASE
    for one in claimed:
        mine = Delivery.objects.filter(pk=one.delivery.pk, attempt_count=one.delivery.attempt_count)
        mine.filter(leased_until__isnull=False, next_attempt_at__isnull=False).update(
            leased_until=until, next_attempt_at=until
        )
