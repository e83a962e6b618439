"""Group commit: store all waiting requests in one transaction.

One thread reads requests, another stores them; while a transaction goes to disk the next requests gather.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog
from django.db import close_old_connections

from core.db.outages import outages
from core.db.transactions import sqlite_write_lock
from intake.endpoints import Endpoint
from intake.requests import MAX_BYTES, IntakeError, IntakeRequest, IntakeResponse
from intake.serving import PendingWrite, read, serve, store

log = structlog.get_logger(__name__)

MAX_BATCH = 200
SLOW_THREADS = 2
MAX_SLOW = 100
SLOW_WAIT_SECONDS = 15.0  # Amazon SNS waits no longer

BUSY = IntakeError("Temporarily unavailable; send it again.", status=503, retry_after=5)


@dataclass(eq=False)
class _Waiting:
    endpoint: Endpoint
    request: IntakeRequest
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[IntakeResponse]"
    since: float = field(default_factory=time.monotonic)


class _Backlog:
    """Requests waiting to be stored, bounded by number and size."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: list[tuple[_Waiting, PendingWrite]] = []
        self._size = 0

    def put(self, one: _Waiting, pending: PendingWrite) -> None:
        with self._changed:
            while self._held and (len(self._held) >= MAX_BATCH or self._size + pending.size > MAX_BYTES):
                self._changed.wait()
            self._held.append((one, pending))
            self._size += pending.size
            self._changed.notify_all()

    def wait(self) -> None:
        with self._changed:
            while not self._held:
                self._changed.wait()

    def drain(self) -> list[tuple[_Waiting, PendingWrite]]:
        with self._changed:
            drained, self._held, self._size = self._held, [], 0
            self._changed.notify_all()
            return drained


class Committer:
    """Serves requests for an event loop; threads start with the first."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._backlog = _Backlog()
        self._threads: list[threading.Thread] = []
        self._slow = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="intake-slow")
        self._slow_places = threading.BoundedSemaphore(MAX_SLOW)

    async def answer(self, endpoint: Endpoint, request: IntakeRequest) -> IntakeResponse:
        """Return the response once its promise is committed."""
        if not self._threads:
            self._start()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(endpoint, request, loop, loop.create_future())
        self._queue.put(waiting)
        return await waiting.future

    def _start(self) -> None:
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("intake-read", self._read_all), ("intake-store", self._store_all))
        ]
        for thread in self._threads:
            thread.start()

    # --- Both threads survive anything: all intake depends on them ---

    def _read_all(self) -> None:
        while True:
            one = self._queue.get()
            try:
                self._read(one)
            except Exception as error:
                if outages.note(error) is None:
                    log.error("intake_not_served", exc_info=error)
                _reject([one])

    def _read(self, one: _Waiting) -> None:
        close_old_connections()
        found = read(one.endpoint, one.request, may_wait=False)
        if isinstance(found, PendingWrite):
            self._backlog.put(one, found)
        elif found is not None:
            _resolve([one], [found])
        elif self._slow_places.acquire(blocking=False):
            self._slow.submit(self._serve_slow, one)
        else:
            _reject([one])

    def _store_all(self) -> None:
        while True:
            self._backlog.wait()
            batch: list[tuple[_Waiting, PendingWrite]] = []
            try:
                close_old_connections()
                with sqlite_write_lock():  # later ones join those waiting for it
                    batch = self._backlog.drain()
                    responses = store([pending for _, pending in batch])
            except Exception as error:
                if outages.note(error) is None:
                    log.error("intake_not_served", exc_info=error)
                _reject([one for one, _ in batch or self._backlog.drain()])
            else:
                _resolve([one for one, _ in batch], responses)

    def _serve_slow(self, one: _Waiting) -> None:
        try:
            close_old_connections()
            if time.monotonic() - one.since > SLOW_WAIT_SECONDS:
                _reject([one])
            else:
                _resolve([one], [serve(one.endpoint, one.request)])
        except Exception as error:
            if outages.note(error) is None:
                log.error("intake_not_served", exc_info=error)
            _reject([one])
        finally:
            self._slow_places.release()


committer = Committer()


def _reject(waiting: Sequence[_Waiting]) -> None:
    _resolve(waiting, [one.endpoint.refuse(BUSY) for one in waiting])


def _resolve(waiting: Sequence[_Waiting], responses: Sequence[IntakeResponse]) -> None:
    pairs = list(zip(waiting, responses, strict=True))
    for loop in {one.loop for one in waiting}:
        mine = [(one.future, response) for one, response in pairs if one.loop is loop]
        try:
            loop.call_soon_threadsafe(_deliver, mine)
        except RuntimeError:
            log.warning("intake_stopping", requests=len(mine))  # nobody is left to answer


def _deliver(pairs: Sequence[tuple["asyncio.Future[IntakeResponse]", IntakeResponse]]) -> None:
    for future, response in pairs:
        if not future.done():  # the client may be gone
            future.set_result(response)
