"""Working off the queue: from what senders handed in to alerts and incidents.

Whoever runs it, and however many do: each takes rows that no other has (`claiming`), so each event is read and worked
off once, in one transaction with all that follows from it.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from django.db import IntegrityError, connection
from django.utils import timezone

from alerts.services.applying import BatchProcessor
from alerts.services.enqueueing import DRAFT_FORMAT
from alerts.updates import AlertUpdate, Leftover, from_json
from core.db.transactions import alone_at, is_database_unavailable, is_transient, unit_of_work
from intake.models import IntakeEvent, Source
from intake.readers import payload_readers
from intake.requests import IntakeError, IntakeRequest
from intake.services.claiming import Waiting, claim, waiting
from intake.services.postponing import Postponed, answers
from intake.vocabulary import IntakeState

log = structlog.get_logger(__name__)

BATCH = 300  # events
MOST_DRAFTS = 10_000  # in one request: all of them are worked off in one transaction
ATTEMPTS = 5

postponed = Postponed()


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
    drafts: list[AlertUpdate] = field(default_factory=list)
    state: IntakeState = IntakeState.DONE
    reason: str = ""
    leftover: Leftover | None = None


def process_waiting(now: dt.datetime | None = None, *, limit: int = BATCH) -> int:
    """Work off up to `limit` waiting events, oldest first; the number of them."""
    listed = waiting(postponed.ids())  # most of the time there is nothing to do
    if not listed:
        return 0
    with alone_at("intake") as is_alone:
        return _work_off(listed, limit, now) if is_alone else 0


def _work_off(listed: list[Waiting], limit: int, now: dt.datetime | None) -> int:
    elsewhere = sum(_elsewhere(one.pk) for one in listed[:limit] if one.format in _readers)
    work = Work(now)
    try:
        work.repeatedly([one for one in listed if one.format not in _readers], limit - elsewhere)
    except Exception as error:
        if is_database_unavailable(error) and (is_transient(error) or not postponed.is_suspicious()):
            raise
        log.warning("intake_batch_split", events=len(work.taken), exc_info=error)
        for _ in work.taken:
            _alone(now)
    postponed.succeeded(*work.taken)
    return elsewhere + len(work.taken)


class Work:
    """The part of the queue that one transaction works off. What was read of it is kept for another attempt."""

    def __init__(self, now: dt.datetime | None) -> None:
        self.now = now
        self.taken: list[int] = []
        self._readings: dict[int, Reading] = {}

    def repeatedly(self, listed: Sequence[Waiting], limit: int) -> None:
        """Two writers may open the same group or alert at once: the database lets one; the other looks again and
        joins."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._once(listed, limit)
                break
            except IntegrityError:
                if attempt == ATTEMPTS:
                    raise

    def _once(self, listed: Sequence[Waiting], limit: int) -> None:
        if connection.features.has_select_for_update_skip_locked:
            self._claim_and_apply(listed, limit)
            return
        # One writer at a time: others must not wait for it while events are read.
        self._apply(self._read(claim(listed, limit)))

    @unit_of_work
    def _claim_and_apply(self, listed: Sequence[Waiting], limit: int) -> None:
        readings = self._read(claim(listed, limit))
        if readings:
            BatchProcessor(self.now or timezone.now()).apply(readings)

    @unit_of_work
    def _apply(self, readings: Sequence[Reading]) -> None:
        ids = [reading.event.pk for reading in readings]
        locked = set(IntakeEvent.objects.waiting().select_for_update().filter(pk__in=ids).values_list("pk", flat=True))
        mine = [reading for reading in readings if reading.event.pk in locked]
        if mine:
            BatchProcessor(self.now or timezone.now()).apply(mine)

    def _read(self, claimed: Sequence[Waiting]) -> list[Reading]:
        self.taken = [one.pk for one in claimed]
        unread = [pk for pk in self.taken if pk not in self._readings]
        events = IntakeEvent.objects.in_bulk(unread) if unread else {}
        sources = Source.objects.select_related("team").in_bulk({event.source_id for event in events.values()} - {None})
        for pk, event in events.items():
            self._readings[pk] = read(event, sources.get(event.source_id or 0))
        return [self._readings[pk] for pk in self.taken if pk in self._readings]


def _alone(now: dt.datetime | None) -> None:
    """Work off the next one by itself. One that fails is put aside with the reason, for a look and a replay; where the
    database is to blame for that, it waits."""
    work = Work(now)
    try:
        work.repeatedly([one for one in waiting(postponed.ids()) if one.format not in _readers], 1)
    except Exception as error:
        if not work.taken or (is_database_unavailable(error) and not answers()):
            raise
        [pk] = work.taken
        if is_database_unavailable(error):
            postponed.postpone(pk, error)
            return
        log.error("intake_failed", intake=pk, exc_info=error)
        _put_aside(pk, f"{type(error).__name__}: {error}")


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


def drafts_of(event: IntakeEvent, source: Source) -> list[AlertUpdate]:
    """The drafts in an event's body, by its format."""
    body = bytes(event.body)
    if event.format == DRAFT_FORMAT:
        return [from_json(value) for value in orjson.loads(body)]
    query = event.headers.get("query", "")
    request = IntakeRequest("POST", "", event.headers, body, query)
    return parse(source, request, format=event.format, at=event.received_at)


def parse(
    source: Source, incoming: IntakeRequest, *, format: str = "", at: dt.datetime | None = None
) -> list[AlertUpdate]:
    """What a source's request says, by its adapter; `at` is when it came (None: now). Raises IntakeError; 413 for more
    than MOST_DRAFTS."""
    adapter: Any = payload_readers().get(format or source.kind)
    if adapter is None:
        raise IntakeError(f"Nothing here reads {format or source.kind}.")
    drafts = _parsed(adapter, source, incoming, at)
    if len(drafts) > MOST_DRAFTS:
        raise IntakeError(
            f"There are {len(drafts):,} alerts in the request; one may hold {MOST_DRAFTS:,}: send fewer at once.",
            status=413,
        )
    return drafts


def _parsed(adapter: Any, source: Source, incoming: IntakeRequest, at: dt.datetime | None) -> list[AlertUpdate]:
    if getattr(adapter, "TAKES_TEMPLATES", False):
        found: list[AlertUpdate] = adapter.parse(incoming, source.templates, source.status_map)
        return found
    if getattr(adapter, "TAKES_TIME", False):
        timed: list[AlertUpdate] = adapter.parse(incoming, at)
        return timed
    parsed: Callable[[IntakeRequest], list[AlertUpdate]] = adapter.parse
    return parsed(incoming)


def _elsewhere(pk: int) -> bool:
    """Have a replayed request read by the app that kept it, or put it aside; False where another worker has it."""
    try:
        return _read_elsewhere(pk)
    except IntakeError as error:
        _put_aside(pk, error.message)
    except Exception as error:
        if is_database_unavailable(error):
            if is_transient(error) or not postponed.is_suspicious():
                raise
            postponed.postpone(pk, error)
            return False
        log.error("intake_not_read", intake=pk, exc_info=error)
        _put_aside(pk, f"It could not be read: {type(error).__name__}: {error}")
    return True


@unit_of_work
def _read_elsewhere(pk: int) -> bool:
    skips = connection.features.has_select_for_update_skip_locked
    event = IntakeEvent.objects.waiting().select_for_update(skip_locked=skips).filter(pk=pk).first()
    if event is None:
        return False
    _readers[event.format](event)
    IntakeEvent.objects.filter(pk=pk).update(state=IntakeState.DONE, reason="", processed_at=timezone.now())
    return True


def _put_aside(pk: int, reason: str) -> None:
    IntakeEvent.objects.waiting().filter(pk=pk).update(
        state=IntakeState.FAILED, reason=reason[:500], processed_at=timezone.now()
    )
