"""Write deliveries: one row per cause, recipient and method, however often the cause is planned."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.db import rows
from core.server.jobs import wake
from core.text.languages import stored
from notifications.channels.port import all_channels, channel_of, masked
from notifications.models import ContactMethod, Delivery, RoomChannel, WebhookEndpoint
from notifications.vocabulary import Importance, Kind, Priority, State
from users.models import User

EMAIL, WEBHOOK = "email", "webhook"
ACCOUNT = "account"  # the address that a person signs in with
# No attempt begins so long after the first was due.
HORIZON = {
    Kind.PAGE: dt.timedelta(hours=1),
    Kind.UPDATE: dt.timedelta(hours=24),
    Kind.NOTICE: dt.timedelta(hours=24),
    Kind.CODE: dt.timedelta(minutes=10),
    Kind.TEST: dt.timedelta(minutes=10),
    Kind.STATUS: dt.timedelta(hours=24),
}
WEBHOOK_HORIZON = dt.timedelta(hours=28)
PRIORITY = {Kind.PAGE: Priority.PAGE, Kind.UPDATE: Priority.POST, Kind.STATUS: Priority.BULK}
LOOKED_AT = 500
BUNDLED_KINDS = (Kind.PAGE, Kind.UPDATE)


@dataclass(frozen=True)
class Target:
    """Where a message goes: a person's method or account address, a room, or a webhook."""

    channel: str
    place: str  # names it among all
    recipient: str
    user_id: int | None = None
    method_id: int | None = None
    room_id: int | None = None
    webhook_id: int | None = None


def of_method(method: ContactMethod, name: str) -> Target:
    """Return a person's method as a target; the address is masked in the ledger."""
    recipient = f"{name}, {_shown(method.kind, method.address)}"[:200]
    return Target(method.kind, f"method:{method.pk}", recipient, method.user_id, method_id=method.pk)


def of_account(user: User) -> Target:
    """Return the address of a person's account."""
    return Target(EMAIL, f"{ACCOUNT}:{user.pk}", f"{user.name}, {_shown(EMAIL, user.email)}"[:200], user.pk)


def of_room(room: RoomChannel) -> Target:
    return Target(room.kind, f"room:{room.pk}", room.name, room_id=room.pk)


def of_webhook(webhook: WebhookEndpoint) -> Target:
    return Target(WEBHOOK, f"webhook:{webhook.pk}", webhook.name, webhook_id=webhook.pk)


def of_audience(name: str, number: int, address: str) -> Target:
    """Return a mail address that an audience wrote down; it writes the letter (see notifications.audiences)."""
    return Target(EMAIL, f"{name}:{number}", masked(EMAIL, address)[:200])


def _shown(kind: str, address: str) -> str:
    channel = channel_of(kind)
    with stored():
        return f"{channel.label} {masked(kind, address)}" if channel and address else kind


def key_of(cause: str, place: str) -> str:
    return hashlib.sha256(f"{cause}\n{place}".encode()).hexdigest()


def horizon_of(channel: str, kind: str) -> dt.timedelta:
    """Return how long after its first attempt a delivery is tried."""
    return WEBHOOK_HORIZON if channel == WEBHOOK and kind == Kind.UPDATE else HORIZON[Kind(kind)]


def new_delivery(
    cause: str,
    target: Target,
    kind: Kind,
    *,
    at: dt.datetime,
    due_at: dt.datetime | None = None,
    importance: str = Importance.LOW,
    content: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Delivery:
    """Return a row of the outbox, unsaved; `fields` are incident_id, page_id, event_id, priority, held_because."""
    due = due_at or at
    horizon = horizon_of(target.channel, kind)
    is_bundled = kind in BUNDLED_KINDS and target.webhook_id is None and fields.get("priority") != Priority.EDIT
    return Delivery(
        key=key_of(cause, target.place),
        kind=kind,
        priority=fields.pop("priority", PRIORITY.get(kind, Priority.PERSONAL)),
        importance=importance,
        channel=target.channel,
        user_id=target.user_id,
        method_id=target.method_id,
        room_id=target.room_id,
        webhook_id=target.webhook_id,
        recipient=target.recipient,
        pace_key=f"{kind}:{target.place}" if is_bundled else "",
        state=State.HELD if fields.get("held_because") else State.WAITING,
        created_at=at,
        due_at=due,
        next_attempt_at=due,
        gives_up_at=due + horizon,
        content={**(content or {}), **({"to": ACCOUNT} if target.place.startswith(ACCOUNT) else {})},
        **fields,
    )


def put(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Insert those whose key is new, and have them sent; return them."""
    by_key = {delivery.key: delivery for delivery in deliveries}
    known = {row.key for row in rows.select_in(Delivery, "key", by_key)}
    new = [delivery for key, delivery in by_key.items() if key not in known]
    rows.insert(*new)
    wake_channels(new)
    return new


def wake_channels(deliveries: Iterable[Delivery]) -> None:
    """Have the channels of these look at once."""
    wake(*sorted({f"deliver_{delivery.channel}" for delivery in deliveries if delivery.next_attempt_at is not None}))


def due_channels(now: dt.datetime) -> set[str]:
    """Return the channels that have something due; every one while more is due than is looked at."""
    due = Delivery.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    found = list(due.values_list("channel", flat=True)[:LOOKED_AT])
    return set(found) if len(found) < LOOKED_AT else {channel.kind for channel in all_channels()}
