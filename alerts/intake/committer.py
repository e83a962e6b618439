"""Group commit: one thread serves all requests that wait at the same time in one transaction.

While one transaction is on its way to the disk the next requests gather, so that a busy server commits many at once and
an idle one each by itself, without any delay that somebody would have to choose.
"""

import asyncio
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog
from django.db import close_old_connections

from alerts.incoming import Incoming, IntakeError, Reply
from alerts.intake.doors import Door
from alerts.intake.serving import serve

log = structlog.get_logger(__name__)

MAX_BATCH = 200
MAX_BATCH_BYTES = 4 * 1024 * 1024
SLOW_THREADS = 2
MAX_SLOW = 100  # requests that are with those threads, or wait for them
SLOW_WAIT_SECONDS = 15.0  # Amazon SNS, for one, waits no longer for an answer, and sends it again

AGAIN = IntakeError("It could not be served now; send it again.", status=503, retry_after=5)


@dataclass(eq=False)
class _Waiting:
    door: Door
    incoming: Incoming
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Reply]"
    since: float = field(default_factory=time.monotonic)


class Committer:
    """Serves requests for an event loop. Its thread starts with the first one, and keeps its database connection."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._slow = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="intake-slow")
        self._slow_places = threading.BoundedSemaphore(MAX_SLOW)

    async def answer(self, door: Door, incoming: Incoming) -> Reply:
        """The reply, once what it promises is committed."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(door, incoming, loop, loop.create_future())
        self._queue.put(waiting)
        return await waiting.future

    def _run(self) -> None:
        while True:
            batch = self._gather()
            quick = []
            for one in batch:
                if _is_slow(one):
                    self._put_aside(one)
                else:
                    quick.append(one)
            if quick:
                _serve(quick)

    def _put_aside(self, one: _Waiting) -> None:
        if self._slow_places.acquire(blocking=False):
            self._slow.submit(self._serve_slow, one)
        else:
            _turn_away([one])

    def _serve_slow(self, one: _Waiting) -> None:
        try:
            if time.monotonic() - one.since > SLOW_WAIT_SECONDS:
                _turn_away([one])
            else:
                _serve([one])
        finally:
            self._slow_places.release()

    def _gather(self) -> list[_Waiting]:
        batch = [self._queue.get()]
        size = len(batch[0].incoming.body)
        while len(batch) < MAX_BATCH and size < MAX_BATCH_BYTES:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
            size += len(batch[-1].incoming.body)
        return batch


committer = Committer()


def _is_slow(one: _Waiting) -> bool:
    try:
        return one.door.is_slow(one.door.source(one.incoming))
    except IntakeError:
        return False  # serving it will say what is wrong
    except Exception as error:
        log.warning("intake_source_not_found", exc_info=error)
        return False


def _serve(batch: list[_Waiting]) -> None:
    """Never raises: with its thread all intake would stand still, and those who wait would wait for ever."""
    try:
        close_old_connections()
        replies = serve([(one.door, one.incoming) for one in batch])
    except Exception as error:
        log.error("intake_not_served", requests=len(batch), exc_info=error)
        _turn_away(batch)
    else:
        _hand_over(batch, replies)


def _turn_away(batch: list[_Waiting]) -> None:
    _hand_over(batch, [one.door.refuse(AGAIN) for one in batch])


def _hand_over(batch: list[_Waiting], replies: list[Reply]) -> None:
    try:
        batch[0].loop.call_soon_threadsafe(_deliver, batch, replies)
    except RuntimeError:
        log.warning("intake_stopping", requests=len(batch))  # nobody is left to be told


def _deliver(batch: list[_Waiting], replies: list[Reply]) -> None:
    for one, reply in zip(batch, replies, strict=True):
        if not one.future.done():  # the client may be gone
            one.future.set_result(reply)
