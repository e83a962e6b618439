"""Group commit: one thread serves all requests that wait at the same time in one transaction.

While one transaction is on its way to the disk the next requests gather, so that a busy server commits many at once and
an idle one each by itself, without any delay that somebody would have to choose.
"""

import asyncio
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from django.db import close_old_connections

from alerts.incoming import Incoming, IntakeError, Reply
from alerts.intake.doors import Door
from alerts.intake.serving import serve

log = structlog.get_logger(__name__)

MAX_BATCH = 200
MAX_BATCH_BYTES = 4 * 1024 * 1024
SLOW_THREADS = 2


@dataclass(eq=False)
class _Waiting:
    door: Door
    incoming: Incoming
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Reply]"


class Committer:
    """Serves requests for an event loop. Its thread starts with the first one, and keeps its database connection."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._slow = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="intake-slow")

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
                    self._slow.submit(_serve, [one])
                else:
                    quick.append(one)
            if quick:
                _serve(quick)

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
        fault = IntakeError("It could not be served now; send it again.", status=503, retry_after=5)
        replies = [one.door.refuse(fault) for one in batch]
    try:
        batch[0].loop.call_soon_threadsafe(_deliver, batch, replies)
    except RuntimeError:
        log.warning("intake_stopping", requests=len(batch))  # nobody is left to be told


def _deliver(batch: list[_Waiting], replies: list[Reply]) -> None:
    for one, reply in zip(batch, replies, strict=True):
        if not one.future.done():  # the client may be gone
            one.future.set_result(reply)
