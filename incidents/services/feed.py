"""The feed: every committed event, in one order that a reader can follow with a number.

Ids are handed out before commit, so that a reader who remembers "up to id 41" would miss event 40 if that one committed
later. Here a committed event without a place gets the next number, one transaction at a time.
"""

import datetime as dt
from collections.abc import Callable

from core.db import rows
from core.db.transactions import unit_of_work
from incidents.models import FeedCursor, IncidentEvent

HEAD = "head"
BATCH = 500


def assign_places(limit: int = BATCH) -> int:
    """Give up to `limit` waiting events their place in the feed; the number of events placed."""
    # Looking costs no lock; most of the time there is nothing to do.
    return _assign_places(limit) if IncidentEvent.objects.waiting_for_feed().exists() else 0


@unit_of_work
def _assign_places(limit: int) -> int:
    """The locked head row lets one process number at a time, whichever of them comes first."""
    waiting = IncidentEvent.objects.waiting_for_feed()
    FeedCursor.objects.get_or_create(name=HEAD)
    head = FeedCursor.objects.select_for_update().get(name=HEAD)
    events = list(waiting.order_by("id").only("id")[:limit])
    for place, event in enumerate(events, head.position + 1):
        event.feed_seq = place
    rows.update_many(events, ["feed_seq"])
    FeedCursor.objects.filter(name=HEAD).update(position=head.position + len(events))
    return len(events)


def consume(name: str, handle: Callable[[list[IncidentEvent]], None], *, limit: int = BATCH) -> int:
    """Hand the next events of the feed to `handle` and move the reader's cursor, in one transaction.

    `handle` writes rows only (no network): if it fails, nothing is moved and the same events come again. After a
    deadlock it is called again.
    """
    FeedCursor.objects.get_or_create(name=name)
    return _consume(name, handle, limit)


@unit_of_work
def _consume(name: str, handle: Callable[[list[IncidentEvent]], None], limit: int) -> int:
    cursor = FeedCursor.objects.select_for_update().get(name=name)
    events = list(IncidentEvent.objects.feed_after(cursor.position).select_related("incident")[:limit])
    if not events:
        return 0
    handle(events)
    position = events[-1].feed_seq or cursor.position
    FeedCursor.objects.filter(name=name).update(position=position)
    return len(events)


def oldest_waiting() -> dt.datetime | None:
    """Since when the oldest event without a place has been waiting; None when the feed is up to date."""
    return IncidentEvent.objects.waiting_for_feed().order_by("id").values_list("received_at", flat=True).first()
