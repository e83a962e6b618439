"""Putting into the queue what alerts have to say themselves."""

import datetime as dt
from collections.abc import Sequence

import orjson
from django.utils import timezone

from alerts.updates import AlertUpdate, Leftover, to_json
from intake.models import IntakeEvent, Source
from intake.services.queue import REASON_LENGTH, insert_events
from intake.vocabulary import IntakeState

DRAFT_FORMAT = "draft"


def event_of_leftover(event: IntakeEvent, leftover: Leftover, at: dt.datetime) -> IntakeEvent:
    """The row that keeps what of a request's list could not be read, for a look and a replay."""
    return IntakeEvent(
        source_id=event.source_id,
        format=event.format,
        state=IntakeState.FAILED,
        reason=f"Of a list, the rest of which was taken (event {event.pk}). {leftover.reason}"[:REASON_LENGTH],
        headers={**event.headers, "content-type": "application/json", "content-encoding": ""},
        body=leftover.body,
        byte_count=len(leftover.body),
        received_at=event.received_at,
        processed_at=at,
    )


def enqueue(source: Source, drafts: Sequence[AlertUpdate], *, at: dt.datetime | None = None) -> None:
    """Raise alerts ourselves, in the caller's transaction: what a heartbeat, a log rule or an expiry has to say."""
    body = orjson.dumps([to_json(draft) for draft in drafts])
    insert_events([IntakeEvent(source=source, format=DRAFT_FORMAT, body=body, received_at=at or timezone.now())])
