"""Counters behind the metrics, written in the transactions of what they count."""

from collections import Counter
from collections.abc import Iterable

from core.db import rows
from notifications.models import Delivery, DeliveryTally

# Upper bounds in seconds of the wait for the first attempt; longer ones are in none.
BUCKETS = (0.15, 0.5, 1, 2, 5, 15, 60, 300)
FIRST, WAITED, ATTEMPTS = "first", "waited", "attempts"


def count_first_attempts(channel: str, deliveries: Iterable[Delivery]) -> None:
    """Count how long deliveries waited, from when they were due to their first attempt."""
    counts: Counter[str] = Counter()
    for delivery in deliveries:
        began_at = delivery.first_attempt_at or delivery.due_at
        waited = max(0.0, (began_at - delivery.due_at).total_seconds())
        counts[f"{FIRST}:{next((bucket for bucket in BUCKETS if waited <= bucket), 'inf')}"] += 1
        counts[WAITED] += round(waited * 1000)
    _add(channel, counts)


def count_attempts(channel: str, outcomes: Iterable[str]) -> None:
    _add(channel, Counter(f"{ATTEMPTS}:{outcome}" for outcome in outcomes))


def _add(channel: str, counts: Counter[str]) -> None:
    """Count; the transaction should end right after."""
    rows.add_up(DeliveryTally, "value", {(channel, name): count for name, count in counts.items()}, "channel", "name")
