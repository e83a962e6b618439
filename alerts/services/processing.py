"""From the queue to incidents: claim events, read, then load, decide and write in one transaction.

Any number of workers: each claims rows that no other has (`intake.services.claiming`).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from django.db import IntegrityError, connection
from django.db.models import Q
from django.utils import timezone

from alerts.decide import decide
from alerts.effects import Judge, Message
from alerts.services.enqueueing import INTERNAL_FORMAT, event_of_leftover
from alerts.services.heartbeats import PING_STEP
from alerts.services.loading import load
from alerts.services.words import UnknownWords, message_of, sentence_of
from alerts.services.writing import write
from alerts.transitions import Transition
from alerts.updates import AlertUpdate, Leftover, from_json
from core.db import rows
from core.db.rows import lock_available
from core.db.transactions import alone_at, in_one_piece, is_database_unavailable, is_transient, unit_of_work
from intake.models import IntakeEvent, Source
from intake.readers import payload_readers
from intake.requests import IntakeError, IntakeRequest
from intake.services.claiming import Waiting, claim, waiting
from intake.services.postponing import Postponed, answers
from intake.services.queue import NO_ALERT
from intake.vocabulary import IntakeState

log = structlog.get_logger(__name__)

BATCH = 300
MOST_UPDATES = 10_000
ATTEMPTS = 5

Meaning = tuple[Message, Transition | None]

postponed = Postponed()

# by format: replays of other apps' requests
Reader = Callable[[IntakeEvent], None]
_replay_readers: dict[str, Reader] = {}


def register_replay_reader(format: str, reader: Reader) -> None:
    """Have another app read replayed requests of this format. The reader raises IntakeError."""
    _replay_readers[format] = reader


class ClaimLost(Exception):
    """An event left the queue while it was read."""


@dataclass
class Reading:
    """An event's updates, or why there are none."""

    event: IntakeEvent
    source: Source | None
    updates: list[AlertUpdate] = field(default_factory=list)
    state: IntakeState = IntakeState.DONE
    reason: str = ""
    leftover: Leftover | None = None


def process_waiting(now: dt.datetime | None = None, *, limit: int = BATCH) -> int:
    """Process up to `limit` waiting events, oldest first; return how many."""
    listed = waiting(postponed.ids())  # mostly there is nothing to do
    if not listed:
        return 0
    with alone_at("intake") as is_alone:
        if not is_alone:
            return 0
        elsewhere = sum(_read_elsewhere(one.pk) for one in listed[:limit] if one.format in _replay_readers)
        batch = Batch(now)
        try:
            batch.process([one for one in listed if one.format not in _replay_readers], limit - elsewhere)
        except Exception as error:
            if is_database_unavailable(error) and (is_transient(error) or not postponed.is_suspicious()):
                raise
            log.warning("intake_batch_split", events=len(batch.claimed), exc_info=error)
            for _ in batch.claimed:
                _process_next(now)
        postponed.succeeded(*batch.claimed)
        return elsewhere + len(batch.claimed)


@dataclass
class Batch:
    """The events of one transaction; readings are kept for a retry."""

    now: dt.datetime | None
    claimed: list[int] = field(default_factory=list)
    readings: dict[int, Reading] = field(default_factory=dict)

    def process(self, listed: Sequence[Waiting], limit: int) -> None:
        """Process what can be claimed. Of two workers that open the same group, the database lets one; the other
        joins."""
        shares_queue = connection.features.has_select_for_update_skip_locked
        for attempt in range(1, ATTEMPTS + 1):
            try:
                # a single writer must not wait for reading
                self._process(listed, limit, None if shares_queue else self._read(listed, limit))
                break
            except (IntegrityError, ClaimLost):
                if attempt == ATTEMPTS:
                    raise

    @unit_of_work
    def _process(self, listed: Sequence[Waiting], limit: int, readings: list[Reading] | None) -> None:
        readings = self._read(listed, limit) if readings is None else readings
        if not readings:
            return
        now = self.now or timezone.now()
        messages = [
            [message_of(one.source, update, one.event.received_at) for update in one.updates] if one.source else []
            for one in readings
        ]
        all_messages = [message for of_event in messages for message in of_event]
        effects = decide(load(all_messages, now), all_messages, now)
        with in_one_piece():
            write(effects, now)
        meant = {effect.message: effect.transition for effect in effects if isinstance(effect, Judge)}
        _close(readings, [[(message, meant[message]) for message in of_event] for of_event in messages], now)

    def _read(self, listed: Sequence[Waiting], limit: int) -> list[Reading]:
        events = claim(listed, limit)
        self.claimed = [event.pk for event in events]
        for event in events:
            if event.pk not in self.readings:
                self.readings[event.pk] = read(event)
        return [self.readings[pk] for pk in self.claimed]


def _close(readings: Sequence[Reading], meant: Sequence[Sequence[Meaning]], now: dt.datetime) -> None:
    """Mark the events as processed. Raises ClaimLost."""
    leftovers = [(reading.event, reading.leftover) for reading in readings if reading.leftover is not None]
    rows.insert(*(event_of_leftover(event, leftover, now) for event, leftover in leftovers))
    alike: defaultdict[tuple[IntakeState, str, int], list[int]] = defaultdict(list)
    received: dict[int, dt.datetime] = {}
    unknown: list[tuple[IntakeEvent, Message]] = []
    for reading, of_event in zip(readings, meant, strict=True):
        event, source = reading.event, reading.source
        alike[(*_outcome(reading, of_event), len(of_event))].append(event.pk)
        if source is not None and event.format != INTERNAL_FORMAT:
            known = received.get(source.pk, source.last_received_at)
            if known is None or event.received_at - known > PING_STEP:
                received[source.pk] = event.received_at
        unknown += [(event, message) for message, _transition in of_event if message.unknown]
    waiting_still = IntakeEvent.objects.waiting().order_by()
    for (state, reason, number), ids in alike.items():
        closed = {"state": state, "reason": reason[:500], "alert_count": number, "processed_at": now}
        if waiting_still.filter(pk__in=ids).update(**closed) != len(ids):
            raise ClaimLost
    for pk, at in sorted(received.items()):
        is_earlier = Q(last_received_at__isnull=True) | Q(last_received_at__lt=at)
        Source.objects.filter(is_earlier, pk=pk).update(last_received_at=at)
    if unknown:
        words = UnknownWords()
        for event, message in unknown:
            words.add_message(message.source, event, message.unknown)
        words.save()


def _outcome(reading: Reading, meant: Sequence[Meaning]) -> tuple[IntakeState, str]:
    transitions = {transition for _message, transition in meant}
    if reading.state != IntakeState.DONE:
        return reading.state, reading.reason
    if not transitions:
        return IntakeState.IGNORED, NO_ALERT
    if transitions == {None}:
        return IntakeState.DROPPED, "Dropped by a route."
    if transitions == {Transition.NOTHING}:
        return IntakeState.IGNORED, "It resolves an alert that was not firing, or refers to an unknown alert."
    unknown = [pair for message, _transition in meant for pair in message.unknown.items()]
    words = sentence_of(unknown) if unknown else ""
    items = ", ".join(str(number) for number, _why in reading.leftover.reasons[:20]) if reading.leftover else ""
    return IntakeState.DONE, f"{words} {f'Could not be read, and kept apart: item {items}.' if items else ''}".strip()


def _process_next(now: dt.datetime | None) -> None:
    """Process one event alone; dead-letter it if it is to blame."""
    batch = Batch(now)
    try:
        batch.process([one for one in waiting(postponed.ids()) if one.format not in _replay_readers], 1)
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
    """Return what an event holds; never raises."""
    source, body = event.source, bytes(event.body)
    if source is None:
        return Reading(event, None, [], IntakeState.FAILED, "Its source was deleted.")
    try:
        if event.format == INTERNAL_FORMAT:
            return Reading(event, source, [from_json(value) for value in orjson.loads(body)])
        request = IntakeRequest("POST", "", event.headers, body, event.headers.get("query", ""))
        updates = parse(source, request, format=event.format, at=event.received_at)
        return Reading(event, source, updates, leftover=getattr(updates, "leftover", None))
    except IntakeError as error:
        return Reading(event, source, [], IntakeState.FAILED, error.message)
    except Exception as error:
        log.error("intake_not_read", intake=event.pk, exc_info=error)
        return Reading(event, source, [], IntakeState.FAILED, f"It could not be read: {type(error).__name__}: {error}")


def parse(
    source: Source, request: IntakeRequest, *, format: str = "", at: dt.datetime | None = None
) -> list[AlertUpdate]:
    """Return the updates in a request. Raises IntakeError."""
    reader: Any = payload_readers().get(format or source.kind)
    if reader is None:
        raise IntakeError(f"Unknown payload format {format or source.kind}.")
    if getattr(reader, "TAKES_TEMPLATES", False):
        updates: list[AlertUpdate] = reader.parse(request, source.templates, source.status_map)
    else:
        updates = reader.parse(request, at) if getattr(reader, "TAKES_TIME", False) else reader.parse(request)
    if len(updates) > MOST_UPDATES:
        raise IntakeError(
            f"There are {len(updates):,} alerts in the request; one may hold {MOST_UPDATES:,}: send fewer at once.",
            status=413,
        )
    return updates


def _read_elsewhere(pk: int) -> bool:
    """Have another app read a replayed request; False where another worker has it."""
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
    _replay_readers[event.format](event)
    IntakeEvent.objects.filter(pk=pk).update(state=IntakeState.DONE, reason="", processed_at=timezone.now())
    return True


def _dead_letter(pk: int, reason: str) -> None:
    IntakeEvent.objects.waiting().filter(pk=pk).update(
        state=IntakeState.FAILED, reason=reason[:500], processed_at=timezone.now()
    )
