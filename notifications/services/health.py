"""Keep whether a method, room or webhook works, and tell its owner by another way when it never will."""

import datetime as dt
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.text.languages import later
from core.text.sentences import Sentence, shown
from notifications.channels.port import channel_of
from notifications.models import ContactMethod, RoomChannel, WebhookEndpoint
from notifications.vocabulary import MethodState
from responders.notices import Notice, announce
from users.models import User

Way = ContactMethod | RoomChannel | WebhookEndpoint
LONGEST_REASON = 300
UNTOLD = Sentence("%(name)s is told nothing any more")


@unit_of_work
def mark_failing(way: Way, reason: str, now: dt.datetime | None = None) -> None:
    """Note that a way fails; it is tried again."""
    if way.state == MethodState.DISABLED:
        return
    since = way.failing_since or now or database_now()
    if way.state == MethodState.UNVERIFIED:
        _write(way, state=way.state, reason=reason[:LONGEST_REASON], failing_since=since)
    else:
        _write(way, state=MethodState.FAILING, reason=reason[:LONGEST_REASON], failing_since=since)


@unit_of_work
def mark_working(way: Way) -> None:
    """Note that a way works again."""
    if way.state == MethodState.FAILING:
        _write(way, state=MethodState.OK, reason="", failing_since=None)


@unit_of_work
def disable(way: Way, reason: str, now: dt.datetime | None = None) -> None:
    """Send nothing there any more; its owner, or the administrators, are told by another way."""
    if way.state == MethodState.DISABLED:
        return
    at = now or database_now()
    _write(way, state=MethodState.DISABLED, reason=reason[:LONGEST_REASON], failing_since=way.failing_since or at)
    announce(_notice_of(way, reason, at))


def _notice_of(way: Way, reason: str, at: dt.datetime) -> Notice:
    key = f"disabled:{type(way).__name__}:{way.pk}:{at.isoformat()}"
    if isinstance(way, ContactMethod):
        title: Promise | str = later(lambda: _("You are no longer reached by %(way)s") % {"way": name_of(way)})
        return Notice(
            key, "method_disabled", title, later(partial(_advice, reason)), users=[way.user_id], is_urgent=True
        )
    admins = list(User.objects.admins().values_list("pk", flat=True))
    title = UNTOLD.say(name=way.name)
    return Notice(key, "channel_disabled", title, reason, users=admins, is_urgent=True)


def _advice(reason: str) -> str:
    said = _("%(reason)s Add another contact method, or verify this one again.")
    return said % {"reason": shown(reason)}


def name_of(way: Way) -> str:
    """Return what people call a way; a person's address is masked."""
    if not isinstance(way, ContactMethod):
        return way.name
    channel = channel_of(way.kind)
    if channel is None:
        return way.label or way.kind
    return " ".join(word for word in (str(channel.label), way.label, channel.mask(way.address)) if word)


def _write(way: Way, **values: Any) -> None:
    """Write the columns that this module keeps, whatever else changes at the same time."""
    for name, value in values.items():
        setattr(way, name, value)
    type(way)._default_manager.filter(pk=way.pk).update(**values)
