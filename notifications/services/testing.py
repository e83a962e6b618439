"""Test messages to rooms."""

import datetime as dt
import secrets

from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, TooManyRequests
from notifications.models import Delivery, RoomChannel
from notifications.services.outbox import new_delivery, of_room, put
from notifications.vocabulary import Importance, Kind
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
    delivery = new_delivery(cause, of_room(room), Kind.TEST, at=now, importance=Importance.HIGH, content=content)
    put([delivery])
    return delivery
