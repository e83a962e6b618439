"""From the queue to alerts and incidents: claim events, read them, then load, decide and write in one transaction.

Any number of workers may do so at once: each claims rows that no other has (`intake.services.claiming`).
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from django.db import IntegrityError, connection
from django.utils import timezone

from alerts.decide import decide
from alerts.effects import CloseEvent, Judge, Message
from alerts.services.enqueueing import INTERNAL_FORMAT
from alerts.services.loading import load
from alerts.services.words import message_of, sentence_of
from alerts.services.writing import Overtaken, write
from alerts.transitions import Transition
from alerts.updates import AlertUpdate, Leftover, from_json
from core.db.rows import lock_available
from core.db.transactions import alone_at, is_database_unavailable, is_transient, unit_of_work
from intake.models import IntakeEvent, Source
from intake.readers import payload_readers
from intake.requests import IntakeError, IntakeRequest
from intake.services.claiming import Waiting, claim, waiting
from intake.services.postponing import Postponed, answers
from intake.services.queue import NO_ALERT
from intake.vocabulary import IntakeState

log = structlog.get_logger(__name__)

BATCH = 300  # events
MOST_UPDATES = 10_000  # in one request: all of them are processed in one transaction
ATTEMPTS = 5

postponed = Postponed()

# What other apps' endpoints stored and somebody replays: by format, what reads it again and stores what it says.
Reader = Callable[[IntakeEvent], None]
_readers: dict[str, Reader] = {}


def register_reader(format: str, reader: Reader) -> None:
    """Have another app read stored requests of this format. The reader raises IntakeError for what it cannot read."""
    _readers[format] = reader


@dataclass
class Reading:
    """One event of the queue, read: its updates, or why there are none."""

    event: IntakeEvent
    updates: list[AlertUpdate] = field(default_factory=list)
    state: IntakeState = IntakeState.DONE
    reason: str = ""
    leftover: Leftover | None = None


def process_waiting(now: dt.datetime | None = None, *, limit: int = BATCH) -> int:
    """Process up to `limit` waiting events, oldest first; return how many."""
    listed = waiting(postponed.ids())  # most of the time there is nothing to do
    if not listed:
        return 0
    with alone_at("intake") as is_alone:
        if not is_alone:
            return 0
        elsewhere = sum(_read_elsewhere(one.pk) for one in listed[:limit] if one.format in _readers)
        batch = Batch(now)
        try:
            batch.process([one for one in listed if one.format not in _readers], limit - elsewhere)
        except Exception as error:
            if is_database_unavailable(error) and (is_transient(error) or not postponed.is_suspicious()):
                raise
            log.warning("intake_batch_split", events=len(batch.claimed), exc_info=error)
            for _ in batch.claimed:
                _process_next(now)
        postponed.succeeded(*batch.claimed)
        return elsewhere + len(batch.claimed)


class Batch:
    """The events that one transaction processes. What was read of them is kept for another attempt."""

    def __init__(self, now: dt.datetime | None) -> None:
        self.now = now
        self.claimed: list[int] = []
        self._readings: dict[int, Reading] = {}

    def process(self, listed: Sequence[Waiting], limit: int) -> None:
        """Process what can be claimed. Two workers may open the same group or alert at once: the database lets one; the
        other looks again and joins."""
        shares_queue = connection.features.has_select_for_update_skip_locked
        for attempt in range(1, ATTEMPTS + 1):
            try:
                # Where one writes at a time, others must not wait while events are read.
                self._process(listed, limit, None if shares_queue else self._read(listed, limit))
                break
            except (IntegrityError, Overtaken):
                if attempt == ATTEMPTS:
                    raise

    @unit_of_work
    def _process(self, listed: Sequence[Waiting], limit: int, readings: list[Reading] | None) -> None:
        readings = self._read(listed, limit) if readings is None else readings
        if not readings:
            return
        now = self.now or timezone.now()
        told = [_messages(reading) for reading in readings]
        messages = [message for of_event in told for message in of_event]
        effects = decide(load(messages, now), messages, now)
        meant = {effect.message: effect.transition for effect in effects if isinstance(effect, Judge)}
        closings = [_closing(reading, of_event, meant) for reading, of_event in zip(readings, told, strict=True)]
        write([*effects, *closings], now)

    def _read(self, listed: Sequence[Waiting], limit: int) -> list[Reading]:
        events = claim(listed, limit)
        self.claimed = [event.pk for event in events]
        for event in events:
            if event.pk not in self._readings:
                self._readings[event.pk] = read(event)
        return [self._readings[pk] for pk in self.claimed]


def _messages(reading: Reading) -> list[Message]:
    event, source = reading.event, reading.event.source
    return [message_of(source, one, event.received_at, event) for one in reading.updates] if source else []


def _closing(reading: Reading, messages: Sequence[Message], meant: dict[Message, Transition | None]) -> CloseEvent:
    transitions = {meant[message] for message in messages}
    state, reason = reading.state, reading.reason
    if state == IntakeState.DONE and transitions == {None}:
        state, reason = IntakeState.DROPPED, "A route drops it."
    elif state == IntakeState.DONE and not transitions:
        state, reason = IntakeState.IGNORED, NO_ALERT
    elif state == IntakeState.DONE and transitions == {Transition.NOTHING}:
        state, reason = IntakeState.IGNORED, "It ends what was not firing, or speaks of an alert we never heard of."
    elif state == IntakeState.DONE:
        words = [pair for message in messages for pair in message.unknown.items()]
        numbers = [str(number) for number, _why in reading.leftover.reasons[:20]] if reading.leftover else []
        left = f"Could not be read, and kept apart: item {', '.join(numbers)}." if numbers else ""
        reason = " ".join(filter(None, (sentence_of(words), left)))
    return CloseEvent(reading.event, state, reason, len(messages), reading.leftover)


def _process_next(now: dt.datetime | None) -> None:
    """Process one event by itself. One that fails is dead-lettered with the reason; where the database is to blame for
    that, it waits."""
    batch = Batch(now)
    try:
        batch.process([one for one in waiting(postponed.ids()) if one.format not in _readers], 1)
    except Exception as error:
        if not batch.claimed or (is_database_unavailable(error) and not answers()):
            raise
        [pk] = batch.claimed
        if is_database_unavailable(error):
            postponed.postpone(pk, error)
            return
        log.error("intake_failed", intake=pk, exc_info=error)
        _dead_letter(pk, f"{type(error).__name__}: {error}")


def read(event: IntakeEvent) -> Reading:
    """Return what an event holds; never raises, for one that cannot be read must not hold up the others."""
    if event.source is None:
        return Reading(event, [], IntakeState.FAILED, "Its source is gone.")
    try:
        updates = updates_of(event, event.source)
    except IntakeError as error:
        return Reading(event, [], IntakeState.FAILED, error.message)
    except Exception as error:
        log.error("intake_not_read", intake=event.pk, exc_info=error)
        return Reading(event, [], IntakeState.FAILED, f"It could not be read: {type(error).__name__}: {error}")
    return Reading(event, updates, leftover=getattr(updates, "leftover", None))


def updates_of(event: IntakeEvent, source: Source) -> list[AlertUpdate]:
    """Return the alert updates in an event's body, by its format. Raises IntakeError."""
    body = bytes(event.body)
    if event.format == INTERNAL_FORMAT:
        return [from_json(value) for value in orjson.loads(body)]
    request = IntakeRequest("POST", "", event.headers, body, event.headers.get("query", ""))
    return parse(source, request, format=event.format, at=event.received_at)


def parse(
    source: Source, incoming: IntakeRequest, *, format: str = "", at: dt.datetime | None = None
) -> list[AlertUpdate]:
    """What a source's request says, by its reader; `at` is when it came (None: now). Raises IntakeError; 413 for more
    than MOST_UPDATES."""
    reader: Any = payload_readers().get(format or source.kind)
    if reader is None:
        raise IntakeError(f"Nothing here reads {format or source.kind}.")
    updates = _parsed(reader, source, incoming, at)
    if len(updates) > MOST_UPDATES:
        raise IntakeError(
            f"There are {len(updates):,} alerts in the request; one may hold {MOST_UPDATES:,}: send fewer at once.",
            status=413,
        )
    return updates


def _parsed(reader: Any, source: Source, incoming: IntakeRequest, at: dt.datetime | None) -> list[AlertUpdate]:
    if getattr(reader, "TAKES_TEMPLATES", False):
        found: list[AlertUpdate] = reader.parse(incoming, source.templates, source.status_map)
        return found
    if getattr(reader, "TAKES_TIME", False):
        timed: list[AlertUpdate] = reader.parse(incoming, at)
        return timed
    parsed: Callable[[IntakeRequest], list[AlertUpdate]] = reader.parse
    return parsed(incoming)


def _read_elsewhere(pk: int) -> bool:
    """Have a replayed request read by the app that stored it, or dead-letter it; False where another worker has it."""
    try:
        return _store_elsewhere(pk)
    except IntakeError as error:
        _dead_letter(pk, error.message)
    except Exception as error:
        if is_database_unavailable(error):
            if is_transient(error) or not postponed.is_suspicious():
                raise
            postponed.postpone(pk, error)
            return False
        log.error("intake_not_read", intake=pk, exc_info=error)
        _dead_letter(pk, f"It could not be read: {type(error).__name__}: {error}")
    return True


@unit_of_work
def _store_elsewhere(pk: int) -> bool:
    event = lock_available(IntakeEvent.objects.waiting().filter(pk=pk)).first()
    if event is None:
        return False
    _readers[event.format](event)
    IntakeEvent.objects.filter(pk=pk).update(state=IntakeState.DONE, reason="", processed_at=timezone.now())
    return True


def _dead_letter(pk: int, reason: str) -> None:
    IntakeEvent.objects.waiting().filter(pk=pk).update(
        state=IntakeState.FAILED, reason=reason[:500], processed_at=timezone.now()
    )
