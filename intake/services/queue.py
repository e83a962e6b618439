"""Store and replay intake events."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

from django.db.models import Q
from django.utils import timezone

from core.db import rows
from core.db.transactions import unit_of_work
from intake.models import IntakeEvent, IntakeEventQuerySet, Source
from intake.readers import kept_headers
from intake.requests import IntakeRequest
from intake.results import IntakeResult
from intake.vocabulary import IntakeState
from users.models import User

NO_ALERT = "The request contains no alert."
# of ignored ones only those without an alert, perhaps a reader's mistake
REPLAYABLE = (IntakeState.FAILED, IntakeState.DROPPED, IntakeState.IGNORED)
REASON_LENGTH = 500


def event_of(
    request: IntakeRequest,
    source: Source | None,
    *,
    format: str = "",
    state: IntakeState = IntakeState.WAITING,
    reason: str = "",
    delivery_key: str | None = None,
) -> IntakeEvent:
    """Return the row of a request, its format the source's kind unless given."""
    format = format or (source.kind if source else "")
    kept = {name: request.headers[name] for name in kept_headers(format) if name in request.headers}
    if request.query:
        kept["query"] = request.query
    return IntakeEvent(
        source=source,
        format=format,
        state=state,
        reason=reason[:REASON_LENGTH],
        headers=kept,
        body=request.body,
        delivery_key=delivery_key,
        received_at=timezone.now(),
    )


def store_events(result: Sequence[IntakeResult]) -> None:
    insert_events([event for one in result for event in one.rows])


def insert_events(events: Sequence[IntakeEvent]) -> None:
    """Store events, each delivery once."""
    numbered = [event.delivery_key for event in events if event.delivery_key]
    known: set[str | None] = set()
    if numbered:
        known.update(IntakeEvent.objects.filter(delivery_key__in=numbered).values_list("delivery_key", flat=True))
    fresh = []
    for event in events:
        event.byte_count = len(event.body)
        if event.delivery_key is None or event.delivery_key not in known:
            known.add(event.delivery_key)
            fresh.append(event)
    rows.insert(*fresh)


def delivery_key(source: Source, number: str) -> str:
    """Return the SHA-256 of source and delivery number."""
    return hashlib.sha256(f"{source.pk}\0{number}".encode("utf-8", "surrogatepass")).hexdigest()


def may_replay(event: IntakeEvent) -> bool:
    """Return whether nothing was done for an event."""
    if event.state == IntakeState.IGNORED:
        return event.alert_count == 0 and event.reason == NO_ALERT
    return event.state in REPLAYABLE


def replayable() -> IntakeEventQuerySet:
    """Select the events that `may_replay`."""
    empty = Q(state=IntakeState.IGNORED, alert_count=0, reason=NO_ALERT)
    return IntakeEvent.objects.filter(Q(state__in=(IntakeState.FAILED, IntakeState.DROPPED)) | empty)


@unit_of_work
def replay(ids: Iterable[int]) -> int:
    """Queue unprocessed events again; return how many."""
    return (
        replayable()
        .filter(pk__in=list(ids))
        .update(state=IntakeState.WAITING, reason="", processed_at=None, dismissed_at=None, dismissed_by=None)
    )


@unit_of_work
def dismiss(events: IntakeEventQuerySet, *, by: User, at: dt.datetime | None = None) -> int:
    """Dismiss failed events, which stay; return how many."""
    return events.troubling().update(dismissed_at=at or timezone.now(), dismissed_by=by)
