"""Queue alert updates of our own."""

import datetime as dt
from collections.abc import Sequence

import orjson
from django.utils import timezone

from alerts.updates import AlertUpdate, Leftover, to_json
from intake.models import IntakeEvent, Source
from intake.services.queue import REASON_LENGTH, insert_events
from intake.vocabulary import IntakeState

INTERNAL_FORMAT = "internal"


def event_of_leftover(event: IntakeEvent, leftover: Leftover, at: dt.datetime) -> IntakeEvent:
    """Return the row of a list's unreadable rest, for a replay."""
    return IntakeEvent(
        source_id=event.source_id,
        format=event.format,
        state=IntakeState.FAILED,
        reason=f"Of a list, the rest of which was accepted (event {event.pk}). {leftover.reason}"[:REASON_LENGTH],
        headers={**event.headers, "content-type": "application/json", "content-encoding": ""},
        body=leftover.body,
        byte_count=len(leftover.body),
        received_at=event.received_at,
        processed_at=at,
    )


def enqueue(source: Source, updates: Sequence[AlertUpdate], *, at: dt.datetime | None = None) -> None:
    """Queue updates of our own in the caller's transaction."""
    body = orjson.dumps([to_json(update) for update in updates])
    insert_events([IntakeEvent(source=source, format=INTERNAL_FORMAT, body=body, received_at=at or timezone.now())])
