"""Tokens that open calendars without a sign-in."""

import datetime as dt
import hashlib
import secrets

from core.db.transactions import unit_of_work
from responders.models import CalendarToken, Schedule
from users.models import User

USED_EVERY = dt.timedelta(hours=1)


@unit_of_work
def new_calendar_token(user: User, schedule: Schedule | None) -> str:
    """Return a token, which is not stored; the one before is revoked."""
    User.objects.select_for_update().get(pk=user.pk)
    revoke_calendar_token(user, schedule)
    text = secrets.token_urlsafe(32)
    CalendarToken.objects.create(user=user, schedule=schedule, digest=_digest_of(text))
    return text


def revoke_calendar_token(user: User, schedule: Schedule | None) -> bool:
    """Revoke somebody's token; return whether there was one."""
    deleted, _ = CalendarToken.objects.filter(user=user, schedule=schedule).delete()
    return bool(deleted)


def revoke_calendar_tokens(user: User) -> None:
    """Revoke all of somebody's tokens."""
    CalendarToken.objects.filter(user=user).delete()


def find_calendar_token(text: str, schedule_id: int | None, now: dt.datetime) -> CalendarToken | None:
    """Return the token of an active person, if it opens this calendar."""
    found = CalendarToken.objects.select_related("user", "schedule").filter(digest=_digest_of(text)).first()
    if found is None or not found.user.is_active or found.schedule_id != schedule_id:
        return None
    if found.last_used_at is None or now - found.last_used_at > USED_EVERY:
        CalendarToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
