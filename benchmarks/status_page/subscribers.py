"""Subscribers and an update that they are told of; inside Django (see `benchmarks.inside`)."""

from collections import Counter

from django.utils import timezone

from notifications.models import Delivery, DeliveryAttempt
from notifications.vocabulary import PENDING, Kind
from status_page.models import PublicUpdate, Subscriber
from status_page.services.publishing import publish
from status_page.services.subscribing import key_of
from status_page.vocabulary import Impact, SubscriberState
from users.models import Role, User

LEFT_OF = 20  # one of so many has unsubscribed


def make(number: str) -> int:
    """Make so many confirmed subscribers, and some more who have left; return how many are to be told."""
    active = [_subscriber(f"reader{one}@bench.example", SubscriberState.ACTIVE) for one in range(int(number))]
    left = [
        _subscriber(f"left{one}@bench.example", SubscriberState.UNSUBSCRIBED) for one in range(int(number) // LEFT_OF)
    ]
    Subscriber.objects.bulk_create([*active, *left], batch_size=1_000)
    return len(active)


def _subscriber(email: str, state: SubscriberState) -> Subscriber:
    return Subscriber(email=email, email_key=key_of(email), state=state)


def announce() -> float:
    """Publish an incident; return when that was committed."""
    user, _is_new = User.objects.get_or_create(email="ada@bench.example", defaults={"name": "Ada", "role": Role.ADMIN})
    publish(by=user, title="Checkout is slow", message="We are looking into it.", impact=Impact.DEGRADED, components=[])
    return timezone.now().timestamp()


def progress() -> dict[str, int]:
    """Return how far telling got."""
    told = Delivery.objects.filter(kind=Kind.STATUS)
    return {
        "planned": told.count(),
        "to_send": told.filter(state__in=PENDING).count(),
        "to_plan": PublicUpdate.objects.filter(tell_at__isnull=False).count(),
    }


def faults() -> dict[str, int]:
    """Return how many were told twice, and how many although they had left."""
    told = Delivery.objects.filter(kind=Kind.STATUS)
    readers = Counter(row["subscriber"] for row in told.values_list("content", flat=True))
    attempts = DeliveryAttempt.objects.filter(delivery__in=told).count()
    left = set(Subscriber.objects.filter(state=SubscriberState.UNSUBSCRIBED).values_list("pk", flat=True))
    return {
        "planned_twice": sum(count - 1 for count in readers.values()),
        "sent_twice": attempts - told.exclude(first_attempt_at=None).count(),
        "left": len(left & set(readers)),
    }
