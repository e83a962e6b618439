"""Make messages of due deliveries: those to one place share one, or wait visibly for the next."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.db import rows
from core.text.sentences import Sentence
from notifications.channels.port import Address, Failed, Message
from notifications.models import Delivery, DeliveryAttempt, Pace
from notifications.pacing import ROOM_BURST, gap_seconds, remembered
from notifications.services.needed import causes_of, hold_paused, reasons_against
from notifications.vocabulary import State

GATHERED = Sentence("Gathered into the next message to this recipient")


@dataclass
class Claimed:
    """A delivery under lease, those it carries, and the message; or why it cannot be sent."""

    delivery: Delivery
    carried: list[Delivery] = field(default_factory=list)
    attempt: DeliveryAttempt | None = None
    message: Message | None = None
    address: Address | None = None
    failure: Failed | None = None


def bundle(found: Sequence[Delivery], now: dt.datetime) -> list[Claimed]:
    """Return the messages to send now."""
    groups: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in found:
        groups[delivery.pace_key].append(delivery)
    chosen = [Claimed(delivery) for delivery in groups.pop("", [])]
    paces = _locked_paces(sorted(groups))
    crowded = _crowded(groups, now)
    for key, group in groups.items():
        chosen += _bundle_group(group, paces[key], key in crowded, now)
    rows.update_many(list(paces.values()), ["last_at", "level"])
    return sorted(chosen, key=lambda one: (one.delivery.priority, one.delivery.due_at, one.delivery.pk))


def _bundle_group(group: list[Delivery], pace: Pace, is_crowded: bool, now: dt.datetime) -> list[Claimed]:
    kind, is_room, last_at = group[0].kind, group[0].room_id is not None, pace.last_at or now
    pace.level = remembered(kind, pace.level, (now - last_at).total_seconds(), is_room=is_room)
    release_at = last_at + dt.timedelta(seconds=gap_seconds(kind, pace.level, is_room=is_room))
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
    return [Claimed(lead, _carry(lead, now) if is_crowded or lead.bundle_count else [])]


def _crowded(groups: Mapping[str, Sequence[Delivery]], now: dt.datetime) -> set[str]:
    """Return the places that more than one of the rows, or of all that is due, goes to."""
    seen = [row.pk for group in groups.values() for row in group]
    due = Delivery.objects.pending().filter(pace_key__in=groups, next_attempt_at__lte=now).exclude(pk__in=seen)
    others = set(due.values_list("pace_key", flat=True).distinct()) if groups else set()
    return others | {key for key, group in groups.items() if len(group) > 1}


def _hold(group: Sequence[Delivery], release_at: dt.datetime, now: dt.datetime) -> None:
    due = Delivery.objects.pending().filter(pace_key=group[0].pace_key, next_attempt_at__lte=now)
    because = GATHERED.say()
    due.update(state=State.HELD, held_because=because, next_attempt_at=release_at)


def _carry(lead: Delivery, now: dt.datetime) -> list[Delivery]:
    """Have the lead carry all else that is due to its place and still needed."""
    due = Delivery.objects.pending().filter(pace_key=lead.pace_key, next_attempt_at__lte=now).exclude(pk=lead.pk)
    due.filter(leased_until__isnull=True, bundle_count=0).update(
        bundle=lead, state=State.WAITING, held_because="", next_attempt_at=None
    )
    carried = list(Delivery.objects.carried_by(lead.pk).order_by("id"))
    causes = causes_of(carried)
    reasons = reasons_against(carried, causes)
    for reason in set(reasons.values()):
        ids = [pk for pk, found in reasons.items() if found == reason]
        Delivery.objects.pending().filter(pk__in=ids).update(state=State.CANCELLED, reason=reason)
    carried = [delivery for delivery in carried if delivery.pk not in reasons]
    held = hold_paused(carried, causes, now)
    carried = [delivery for delivery in carried if delivery not in held]
    lead.bundle_count = len(carried)
    return carried


def _locked_paces(keys: Sequence[str]) -> dict[str, Pace]:
    if not keys:
        return {}
    found = {pace.key: pace for pace in rows.select_in(Pace, "key", keys, lock=True)}
    if new := [key for key in keys if key not in found]:
        Pace.objects.bulk_create([Pace(key=key) for key in new], ignore_conflicts=True)
        found |= {pace.key: pace for pace in rows.select_in(Pace, "key", new, lock=True)}
    return found
