"""Number committed events in one order that readers follow.

Ids are assigned before commit: a reader who remembers id 41 would miss a 40 that commits later.
"""

import datetime as dt
from collections.abc import Callable

import structlog

from core.db import rows
from core.db.transactions import is_database_unavailable, is_transient, unit_of_work
from core.server.jobs import wake
from incidents.models import FeedCursor, IncidentEvent

log = structlog.get_logger(__name__)

HEAD = "head"
BATCH = 500
NAMED = 5
Handler = Callable[[list[IncidentEvent]], None]

_followers: list[str] = []  # names of jobs


class EventsFailed(Exception):
    """The message is for the operator: the last error of the reader's job."""


def register_follower(job: str) -> None:
    """Run this job as soon as events were numbered."""
    _followers.append(job)


def assign_places(limit: int = BATCH) -> int:
    """Number up to `limit` waiting events; return how many."""
    # looking costs no lock
    return _assign_places(limit) if IncidentEvent.objects.waiting_for_feed().exists() else 0


@unit_of_work
def _assign_places(limit: int) -> int:
    waiting = IncidentEvent.objects.waiting_for_feed()
    FeedCursor.objects.get_or_create(name=HEAD)
    head = FeedCursor.objects.select_for_update().get(name=HEAD)
    events = list(waiting.order_by("id").only("id")[:limit])
    for place, event in enumerate(events, head.position + 1):
        event.feed_seq = place
    rows.update_many(events, ["feed_seq"])
    FeedCursor.objects.filter(name=HEAD).update(position=head.position + len(events))
    if events:
        wake(*_followers)
    return len(events)


def consume(name: str, handle: Handler, *, limit: int = BATCH) -> int:
    """Hand the next events to `handle` and move the reader's cursor, in one transaction.

    `handle` only writes rows. If it fails, it gets them one by one; those that fail again are passed over once a later
    one succeeds, and come again until then. Raises EventsFailed.
    """
    places = dict(FeedCursor.objects.filter(name__in=(name, HEAD)).values_list("name", "position"))
    if name not in places:
        FeedCursor.objects.get_or_create(name=name)
    elif places[name] >= places.get(HEAD, 0):  # looking costs no lock
        return 0
    try:
        return _consume(name, handle, limit)
    except Exception as error:
        if is_database_unavailable(error) or is_transient(error):
            raise
        log.warning("feed_batch_failed", reader=name, exc_info=error)
    return _one_by_one(name, handle, limit)


def _one_by_one(name: str, handle: Handler, limit: int) -> int:
    """Hand each over alone; where all fail, the fault is not theirs, and none is lost."""
    position = FeedCursor.objects.get(name=name).position
    events = list(IncidentEvent.objects.feed_after(position).select_related("incident")[:limit])
    failed = []
    for event in events:
        try:
            _consume_one(name, handle, event)
        except Exception as error:
            if is_database_unavailable(error) or is_transient(error):
                raise
            failed.append(event)
            log.error("feed_event_failed", reader=name, incident=event.incident_id, event_id=event.pk, exc_info=error)
    if failed:
        named = ", ".join(f"event {event.pk} of INC-{event.incident_id}" for event in failed[:NAMED])
        raise EventsFailed(f"{len(failed)} of {len(events)} events failed, the first: {named}.")
    return len(events)


@unit_of_work
def _consume_one(name: str, handle: Handler, event: IncidentEvent) -> None:
    place = event.feed_seq or 0
    if FeedCursor.objects.select_for_update().get(name=name).position < place:  # no other process was faster
        handle([event])
        FeedCursor.objects.filter(name=name).update(position=place)


@unit_of_work
def _consume(name: str, handle: Handler, limit: int) -> int:
    cursor = FeedCursor.objects.select_for_update().get(name=name)
    events = list(IncidentEvent.objects.feed_after(cursor.position).select_related("incident")[:limit])
    if not events:
        return 0
    handle(events)
    position = events[-1].feed_seq or cursor.position
    FeedCursor.objects.filter(name=name).update(position=position)
    return len(events)


@unit_of_work
def skip_history(*readers: str) -> None:
    """Have readers go on after what is numbered."""
    head = FeedCursor.objects.filter(name=HEAD).values_list("position", flat=True).first() or 0
    for name in readers:
        FeedCursor.objects.update_or_create(name=name, defaults={"position": head})


def oldest_waiting() -> dt.datetime | None:
    """Return when the oldest unnumbered event was received; None when up to date."""
    return IncidentEvent.objects.waiting_for_feed().order_by("id").values_list("received_at", flat=True).first()
