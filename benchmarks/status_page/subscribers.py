"""The page, its subscribers, and an update that they are told of; inside Django (see `benchmarks.inside`)."""

import datetime as dt
from collections import Counter

from django.utils import timezone

from benchmarks.intake import steps
from notifications.models import Delivery, DeliveryAttempt
from notifications.vocabulary import PENDING, Kind
from status_page.models import PublicUpdate, Subscriber
from status_page.services.components import add_component
from status_page.services.page import edit_page
from status_page.services.publishing import add_update, publish
from status_page.services.subscribing import key_of
from status_page.vocabulary import Impact, State, SubscriberState
from users.models import Role, User

COMPONENTS, HISTORY, DAYS = 40, 100, 80
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


def furnish() -> str:
    """Give the page components and a history in two languages; return an administrator's token."""
    user = _admin()
    edit_page(by=user, changes={"name": "Bench", "languages": ["en", "de"]})
    made = [add_component(by=user, values={"name": f"Component {one}"}) for one in range(COMPONENTS)]
    for number in range(HISTORY):
        announced = publish(
            by=user,
            title=f"Outage {number}",
            message="We are looking into it.",
            impact=Impact.PARTIAL_OUTAGE,
            components=made[number % COMPONENTS :][:3],
            translations={"de": {"title": f"Ausfall {number}", "message": "Wir sehen uns das an."}},
            starts_at=timezone.now() - dt.timedelta(days=number % DAYS, hours=3),
            tell=False,
        )
        add_update(announced, by=user, message="It works again.", state=State.RESOLVED, tell=False)
    return str(steps.token())


def _admin() -> User:
    return User.objects.get_or_create(email="ada@bench.example", defaults={"name": "Ada", "role": Role.ADMIN})[0]


def announce() -> float:
    """Publish an incident; return when that was committed."""
    publish(
        by=_admin(), title="Checkout is slow", message="We are looking into it.", impact=Impact.DEGRADED, components=[]
    )
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
