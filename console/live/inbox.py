"""How many unread entries people's inboxes have, where that changed."""

import datetime as dt
import time
from collections.abc import Collection

from django.db.models import Count
from django.utils import timezone

from notifications.models import Notification

EVERY_SECONDS = 2.0
LOOK_BACK = dt.timedelta(seconds=20)  # entries carry the time of their cause, and are committed later


class InboxWatch:
    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._looked = -EVERY_SECONDS

    def changes(self, users: Collection[int]) -> dict[int, int]:
        """Return the unread entries of those for whom it changed since the last call, or who are new."""
        new = {user for user in users if user not in self._counts}
        if time.monotonic() - self._looked >= EVERY_SECONDS:
            self._looked = time.monotonic()
            self._counts = {user: count for user, count in self._counts.items() if user in users}
            new |= self._touched(users)
        found = {user: count for user, count in unread_of(new).items() if self._counts.get(user) != count}
        self._counts.update(found)
        return found

    def _touched(self, users: Collection[int]) -> set[int]:
        since = timezone.now() - LOOK_BACK
        entries = Notification.objects.order_by().values_list("user_id", flat=True)
        added = set(entries.filter(created_at__gte=since)[:10_000])
        return added.intersection(users) | set(entries.filter(user__in=users, read_at__gte=since))


def unread_of(users: Collection[int]) -> dict[int, int]:
    """Return each person's number of unread entries."""
    if not users:
        return {}
    unread = Notification.objects.unread().filter(user__in=users).order_by().values_list("user_id")
    return dict.fromkeys(users, 0) | dict(unread.annotate(Count("pk")))
