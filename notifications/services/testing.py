"""Test messages to rooms."""

import datetime as dt
import secrets

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, TooManyRequests
from notifications.channels.port import Stage, channel_of
from notifications.models import Delivery, RoomChannel
from notifications.services.outbox import new_delivery, of_room, put
from notifications.services.settling import advance
from notifications.vocabulary import SENT, Importance, Kind
from users.models import User

TESTS_PER_HOUR = 20


@unit_of_work
def test_room(room: RoomChannel, *, by: User) -> Delivery:
    """Send a test message to a room. Raises Conflict, TooManyRequests."""
    if not room.is_enabled:
        raise Conflict(_("The channel is disabled; enable it first."), code="disabled")
    now = database_now()
    recent = Delivery.objects.filter(kind=Kind.TEST, room=room, created_at__gt=now - dt.timedelta(hours=1))
    if recent.count() >= TESTS_PER_HOUR:
        message = _("At most %(most)d tests an hour; try again later.") % {"most": TESTS_PER_HOUR}
        raise TooManyRequests(message, retry_after=3600)
    cause = f"test:{secrets.token_hex(16)}"
    content = {"by": by.name}
    channel = channel_of(room.kind)
    if channel is not None and channel.needs_read_back:
        code = f"{secrets.randbelow(10**6):06}"
        content |= {"code": code, "code_digest": _digest(room, code)}  # the code itself goes once it is sent
    delivery = new_delivery(cause, of_room(room), Kind.TEST, at=now, importance=Importance.HIGH, content=content)
    put([delivery])
    return delivery


@unit_of_work
def confirm_room(room: RoomChannel, code: str) -> RoomChannel:
    """Note that somebody read the code of a test in the room. Raises DomainError for a code not sent this hour."""
    now = database_now()
    tests = Delivery.objects.select_for_update().filter(kind=Kind.TEST, room=room, state__in=SENT)
    for delivery in tests.filter(created_at__gt=now - dt.timedelta(hours=1)).order_by("-id"):
        if secrets.compare_digest(str(delivery.content.get("code_digest", "")), _digest(room, code.strip())):
            advance(delivery, Stage.DELIVERED, now)
            delivery.save(update_fields=["state", "handed_over_at", "accepted_at", "delivered_at"])
            room.data = {**room.data, "confirmed_at": now.isoformat()}
            room.save(update_fields=["data"])
            return room
    raise DomainError(_("This is not the code of a test of the last hour."), field="code", code="wrong_code")


def _digest(room: RoomChannel, code: str) -> str:
    return salted_hmac("notifications.rooms", f"{room.pk}:{code}", algorithm="sha256").hexdigest()
