"""Providers' limits: an allowance per channel that all workers share; what exceeds it is held, visibly."""

import datetime as dt

from django.conf import settings

from core.db import rows
from core.text.languages import stored
from core.text.sentences import Sentence
from notifications.channels.port import Channel
from notifications.models import Delivery, ProviderLimit
from notifications.pacing import Limit, lower, refilled, words_of
from notifications.vocabulary import State

HELD_BATCH = 500
LIMITED = Sentence("Limit of %(channel)s: %(limit)s")


def limit_of(channel: Channel) -> Limit | None:
    """Return the stricter of the operator's limit and the provider's own."""
    return lower(settings.NOTIFICATION_LIMITS.get(channel.kind), channel.per_minute)


def take(channel: Channel, wanted: int, now: dt.datetime) -> int:
    """Return how many of the wanted messages may go out now; holds the channel's row until the transaction ends."""
    limit = limit_of(channel)
    if limit is None or not wanted:
        return wanted
    row = _locked(channel, limit, now)
    row.allowance = refilled(row.allowance, (now - row.refilled_at).total_seconds(), limit)
    row.refilled_at = now
    granted = min(wanted, int(row.allowance))
    row.allowance -= granted
    row.save(update_fields=["allowance", "refilled_at"])
    return granted


def give_back(channel: Channel, unused: int) -> None:
    """Return what was taken and not used, in the same transaction."""
    if unused and limit_of(channel) is not None:
        row = ProviderLimit.objects.select_for_update().get(channel=channel.kind)
        row.allowance += unused
        row.save(update_fields=["allowance"])


def hold_excess(channel: Channel, now: dt.datetime) -> int:
    """Hold what is due beyond the allowance: each row says why, and when it will be its turn."""
    limit = limit_of(channel)
    if limit is None:
        return 0
    excess = list(rows.lock_available(Delivery.objects.due_by(channel.kind, now).pending())[:HELD_BATCH])
    with stored():
        because = LIMITED.say(channel=channel.label, limit=words_of(limit))
    held = Delivery.objects.filter(
        channel=channel.kind, state=State.HELD, held_because=because, next_attempt_at__gt=now
    )
    before = {priority: held.filter(priority__lte=priority).count() for priority in {row.priority for row in excess}}
    for place, delivery in enumerate(excess, 1):
        delivery.state, delivery.held_because = State.HELD, because
        delivery.next_attempt_at = now + dt.timedelta(seconds=(before[delivery.priority] + place) / limit.rate)
    rows.update_many(excess, ["state", "held_because", "next_attempt_at"])
    return len(excess)


def _locked(channel: Channel, limit: Limit, now: dt.datetime) -> ProviderLimit:
    found = ProviderLimit.objects.select_for_update().filter(channel=channel.kind).first()
    if found is None:
        found, _ = ProviderLimit.objects.get_or_create(
            channel=channel.kind, defaults={"allowance": max(1.0, limit.count / 6), "refilled_at": now}
        )
        found = ProviderLimit.objects.select_for_update().get(channel=channel.kind)
    return found
