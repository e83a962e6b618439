"""Number committed events in one order that readers follow.

Ids are assigned before commit: a reader who remembers id 41 would miss a 40 that commits later.
"""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import structlog

from core.db import rows
from core.db.prepared import Parameter, prepared
from core.db.transactions import is_database_unavailable, is_transient, unit_of_work
from core.server.jobs import wake
from incidents.models import FeedCursor, IncidentEvent

log = structlog.get_logger(__name__)

HEAD = "head"
BATCH = 500
NAMED = 5
Handler = Callable[[list[IncidentEvent]], None]

_followers: dict[str, frozenset[str]] = {}  # by names of jobs: kinds of events that they are not woken for


@dataclass(frozen=True)
class FeedEvent:
    """An event of the feed without what was written."""

    feed_seq: int
    incident_id: int
    kind: str
    visibility: str
    occurred_at: dt.datetime


class EventsFailed(Exception):
    """The message is for the operator: the last error of the reader's job."""


def register_follower(job: str, *, but_for: Collection[str] = ()) -> None:
    """Run this job as soon as events were numbered, but for those of some kinds: it reads them when it runs again."""
    _followers[job] = frozenset(but_for)


def assign_places(limit: int = BATCH) -> int:
    """Number up to `limit` waiting events; return how many."""
    # looking costs no lock
    is_any = rows.is_any(IncidentEvent, "waiting", IncidentEvent.objects.waiting_for_feed)
    return _assign_places(limit) if is_any else 0


@unit_of_work
def _assign_places(limit: int) -> int:
    head = _locked(HEAD)
    waiting = prepared(
        ("waiting", limit),
        lambda: IncidentEvent.objects.waiting_for_feed().order_by("id").values_list("pk", "kind")[:limit],
    )
    found = waiting.rows()
    events = [IncidentEvent(pk=pk, feed_seq=place) for place, (pk, _) in enumerate(found, head.position + 1)]
    rows.update_many(events, ["feed_seq"])
    _move(head, head.position + len(events))
    kinds = {kind for _, kind in found}
    wake(*(job for job, others in _followers.items() if kinds - others))
    return len(events)


def consume(name: str, handle: Handler, *, limit: int = BATCH) -> int:
    """Hand the next events to `handle` and move the reader's cursor, in one transaction.

    `handle` only writes rows. If it fails, it gets them one by one; those that fail again are passed over once a later
    one succeeds, and come again until then. Raises EventsFailed.
    """
    places = {cursor.name: cursor.position for cursor in rows.select_in(FeedCursor, "name", (name, HEAD))}
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
    events = _after(position, limit)
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


def _locked(name: str) -> FeedCursor:
    found = rows.select_in(FeedCursor, "name", [name], lock=True)
    if not found:
        FeedCursor.objects.get_or_create(name=name)
        found = rows.select_in(FeedCursor, "name", [name], lock=True)
    return found[0]


def _move(cursor: FeedCursor, position: int) -> None:
    cursor.position = position
    rows.update(cursor, ["position"])


def _after(position: int, limit: int) -> list[IncidentEvent]:
    place: Any = Parameter("position")
    return rows.select(
        IncidentEvent, ("feed", limit), lambda: IncidentEvent.objects.feed_after(place)[:limit], position=position
    )


def head() -> int:
    """Return the last number assigned."""
    found = rows.select_in(FeedCursor, "name", [HEAD])
    return found[0].position if found else 0


def events_after(position: int, limit: int) -> list[FeedEvent]:
    """Return the next events, for readers without a cursor."""
    place: Any = Parameter("position")
    names = ("feed_seq", "incident_id", "kind", "visibility", "occurred_at")
    query = prepared(
        ("feed events", limit), lambda: IncidentEvent.objects.feed_after(place).values_list(*names)[:limit]
    )
    return [FeedEvent(*row) for row in query.rows(position=position)]


@unit_of_work
def _consume_one(name: str, handle: Handler, event: IncidentEvent) -> None:
    cursor, place = _locked(name), event.feed_seq or 0
    if cursor.position < place:  # no other process was faster
        handle([event])
        _move(cursor, place)


@unit_of_work
def _consume(name: str, handle: Handler, limit: int) -> int:
    cursor = _locked(name)
    events = _after(cursor.position, limit)
    if not events:
        return 0
    handle(events)
    _move(cursor, events[-1].feed_seq or cursor.position)
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
