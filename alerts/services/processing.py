"""Working off the queue: from what senders handed in to alerts and incidents.

Whoever runs it, and however many do: the rows of a batch are locked, so each event is worked off once, in one
transaction with all that follows from it.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from django.db import IntegrityError
from django.utils import timezone

from alerts.adapters import adapters
from alerts.drafts import Draft, Leftover, from_json
from alerts.incoming import Incoming, IntakeError
from alerts.models import IntakeEvent, Source
from alerts.services.applying import Batch
from alerts.services.queue import DRAFT_FORMAT
from alerts.vocabulary import IntakeState
from users.transactions import is_away, unit_of_work

log = structlog.get_logger(__name__)

BATCH = 300  # events
MAX_BYTES = 4 * 1024 * 1024
MOST_DRAFTS = 10_000  # in one request: all of them are worked off in one transaction
ATTEMPTS = 5


# What other apps' doors kept and somebody replays: by format, what reads it again and stores what it says.
Reader = Callable[[IntakeEvent], None]
_readers: dict[str, Reader] = {}


def register_reader(format: str, reader: Reader) -> None:
    """Have kept requests of this format read by another app. The reader raises IntakeError for what is no better."""
    _readers[format] = reader


@dataclass
class Reading:
    """One event of the queue, read: its drafts, or why there are none; then what became of it."""

    event: IntakeEvent
    source: Source | None
    drafts: list[Draft] = field(default_factory=list)
    state: IntakeState = IntakeState.DONE
    reason: str = ""
    leftover: Leftover | None = None


def process_waiting(now: dt.datetime | None = None, *, limit: int = BATCH) -> int:
    """Work off up to `limit` waiting events, oldest first; the number of them."""
    # Looking costs no lock; most of the time there is nothing to do.
    events = _within(list(IntakeEvent.objects.waiting()[:limit]))
    if not events:
        return 0
    for event in events:
        if event.format in _readers:
            _elsewhere(event)
    ours = [event for event in events if event.format not in _readers]
    if ours:
        _process(ours, now)
    return len(events)


def _process(events: list[IntakeEvent], now: dt.datetime | None) -> None:
    senders = Source.objects.select_related("team")
    sources = senders.in_bulk({event.source_id for event in events if event.source_id})
    readings = [read(event, sources.get(event.source_id or 0)) for event in events]
    try:
        _repeated(readings, now)
    except Exception as error:
        if is_away(error):
            raise
        log.warning("intake_batch_split", events=len(events), exc_info=error)
        for event in events:
            _alone(event, sources.get(event.source_id or 0), now)


def read(event: IntakeEvent, source: Source | None) -> Reading:
    """What an event holds; never raises, for one that cannot be read must not hold up the others."""
    reading = Reading(event, source)
    if source is None:
        reading.state, reading.reason = IntakeState.FAILED, "Its source is gone."
        return reading
    try:
        reading.drafts = drafts_of(event, source)
        reading.leftover = getattr(reading.drafts, "leftover", None)
    except IntakeError as error:
        reading.state, reading.reason = IntakeState.FAILED, error.message
    except Exception as error:
        log.error("intake_not_read", intake=event.pk, exc_info=error)
        reading.state, reading.reason = IntakeState.FAILED, f"It could not be read: {type(error).__name__}: {error}"
    return reading


def drafts_of(event: IntakeEvent, source: Source) -> list[Draft]:
    """The drafts in an event's body, by its format."""
    body = bytes(event.body)
    if event.format == DRAFT_FORMAT:
        return [from_json(value) for value in orjson.loads(body)]
    query = event.headers.get("query", "")
    request = Incoming("POST", "", event.headers, body, query)
    return parse(source, request, format=event.format, at=event.received_at)


def parse(source: Source, incoming: Incoming, *, format: str = "", at: dt.datetime | None = None) -> list[Draft]:
    """What a source's request says, by its adapter; `at` is when it came (None: now). Raises IntakeError; 413 for more
    than MOST_DRAFTS."""
    adapter: Any = adapters().get(format or source.kind)
    if adapter is None:
        raise IntakeError(f"Nothing here reads {format or source.kind}.")
    drafts = _parsed(adapter, source, incoming, at)
    if len(drafts) > MOST_DRAFTS:
        raise IntakeError(
            f"There are {len(drafts):,} alerts in the request; one may hold {MOST_DRAFTS:,}: send fewer at once.",
            status=413,
        )
    return drafts


def _parsed(adapter: Any, source: Source, incoming: Incoming, at: dt.datetime | None) -> list[Draft]:
    if getattr(adapter, "TAKES_TEMPLATES", False):
        found: list[Draft] = adapter.parse(incoming, source.templates)
        return found
    if getattr(adapter, "TAKES_TIME", False):
        timed: list[Draft] = adapter.parse(incoming, at)
        return timed
    parsed: Callable[[Incoming], list[Draft]] = adapter.parse
    return parsed(incoming)


def _elsewhere(event: IntakeEvent) -> None:
    """Have a replayed request read by the app that kept it, or put it aside."""
    try:
        _read_elsewhere(event)
    except IntakeError as error:
        _put_aside(event, error.message)
    except Exception as error:
        if is_away(error):
            raise
        log.error("intake_not_read", intake=event.pk, exc_info=error)
        _put_aside(event, f"It could not be read: {type(error).__name__}: {error}")


@unit_of_work
def _read_elsewhere(event: IntakeEvent) -> None:
    if not IntakeEvent.objects.waiting().select_for_update().filter(pk=event.pk).exists():
        return
    _readers[event.format](event)
    IntakeEvent.objects.filter(pk=event.pk).update(state=IntakeState.DONE, reason="", processed_at=timezone.now())


def _put_aside(event: IntakeEvent, reason: str) -> None:
    IntakeEvent.objects.waiting().filter(pk=event.pk).update(
        state=IntakeState.FAILED, reason=reason[:500], processed_at=timezone.now()
    )


def _within(events: list[IntakeEvent]) -> list[IntakeEvent]:
    """As many of the events as hold no more than MAX_BYTES, at least one."""
    size = 0
    for count, event in enumerate(events):
        size += len(event.body)
        if count and size > MAX_BYTES:
            return events[:count]
    return events


def _repeated(readings: Sequence[Reading], now: dt.datetime | None) -> None:
    """Two writers may open the same group or alert at once: the database lets one; the other looks again and joins."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _apply(readings, now)
            break
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise


@unit_of_work
def _apply(readings: Sequence[Reading], now: dt.datetime | None) -> None:
    ids = [reading.event.pk for reading in readings]
    waiting = IntakeEvent.objects.waiting().select_for_update().filter(pk__in=ids)
    locked = set(waiting.values_list("pk", flat=True))
    mine = [reading for reading in readings if reading.event.pk in locked]
    if mine:
        Batch(now or timezone.now()).apply(mine)


def _alone(event: IntakeEvent, source: Source | None, now: dt.datetime | None) -> None:
    """Work off one by itself; when it fails, it is put aside with the reason, for a look and a replay."""
    try:
        _repeated([read(event, source)], now)
    except Exception as error:
        if is_away(error):
            raise
        log.error("intake_failed", intake=event.pk, exc_info=error)
        _put_aside(event, f"{type(error).__name__}: {error}")
