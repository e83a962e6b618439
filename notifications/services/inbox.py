"""Write entries of people's inboxes, and mark them read."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from core.db import rows
from core.db.transactions import unit_of_work
from incidents.models import Incident
from notifications.models import Notification
from notifications.services.outbox import key_of
from notifications.vocabulary import Importance, Kind
from users.models import User

LONGEST_TITLE = 300


def new_entry(
    cause: str,
    user_id: int,
    kind: Kind,
    title: str,
    *,
    at: dt.datetime,
    body: str = "",
    incident_id: int | None = None,
    importance: str = Importance.LOW,
    path: str = "",
) -> Notification:
    """Return an entry, unsaved; the same cause tells a person once."""
    return Notification(
        key=key_of(cause, f"inbox:{user_id}"),
        user_id=user_id,
        kind=kind,
        importance=importance,
        title=title[:LONGEST_TITLE],
        body=body,
        incident_id=incident_id,
        path=path,
        created_at=at,
    )


def put_entries(entries: Sequence[Notification]) -> int:
    """Insert the entries whose key is new."""
    by_key = {entry.key: entry for entry in entries}
    known = {row.key for row in rows.select_in(Notification, "key", by_key)}
    new = [entry for key, entry in by_key.items() if key not in known]
    rows.insert(*new)
    return len(new)


def visible_incidents(user: User, entries: Iterable[Notification]) -> set[int | None]:
    """Return which incidents of the entries the person may see now; None, for those about none, is among them."""
    ids = {entry.incident_id for entry in entries if entry.incident_id is not None}
    visible = Incident.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True) if ids else ()
    return {None, *visible}


@unit_of_work
def mark_read(user: User, now: dt.datetime, ids: Collection[int] | None = None) -> int:
    """Mark a person's entries read, all when none are named; return how many."""
    unread = Notification.objects.unread().filter(user=user)
    return (unread if ids is None else unread.filter(pk__in=ids)).update(read_at=now)
