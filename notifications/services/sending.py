"""Send what is due, in a pool that never touches the database; results are written at once, whatever else is done."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import DataError, IntegrityError, close_old_connections, connection, connections

from core.db.clock import database_now
from core.server.jobs import is_stopping
from core.text.languages import reading
from notifications.channels.port import Address, Channel, Failed, Message, Receipt
from notifications.services.claiming import LEASE, Claimed, claim, renew
from notifications.services.settling import Result, settle

log = structlog.get_logger(__name__)

ROUND_SECONDS = 200.0  # of one run, while there is more to send
LOOK_SECONDS = 0.1  # between looks for more
GATHER_SECONDS = 0.01  # for results to be written together
CLAIM_SECONDS = 0.08  # between claims, each of which costs a transaction
AHEAD_SECONDS = 0.15  # of work is claimed ahead
MOST_AHEAD = 40
UNWRITABLE = (TypeError, ValueError, DataError, IntegrityError)
RENEW_SECONDS = LEASE.total_seconds() / 3
STUCK_SECONDS = 120.0  # then it is left to its lease


@dataclass(frozen=True)
class Flight:
    claimed: Claimed
    since: float


class Sender:
    """Sends by one channel; one per channel and process.

    A lost worker repeats at most one message per thread; what it claimed beyond them waits for a lease.
    """

    def __init__(self, channel: Channel, clock: Callable[[], float] = time.monotonic) -> None:
        self.channel = channel
        self._clock = clock
        self._pool = ThreadPoolExecutor(channel.concurrency, thread_name_prefix=f"send-{channel.kind}")
        self._claimer: ThreadPoolExecutor | None = None  # once it is needed
        self._claiming: Future[list[Claimed]] | None = None
        self._ready: deque[Claimed] = deque()
        self._flights: dict[Future[Receipt], Flight] = {}
        self._results: list[Result] = []  # until they are written
        self._lock = threading.Lock()
        self._renewed = clock()
        self._claimed_at = -CLAIM_SECONDS
        self._seconds = 1.0  # that a send takes of late

    def run(self) -> int:
        """Return how many messages were sent or failed."""
        if not self._lock.acquire(blocking=False):
            return 0  # another thread of this process does
        try:
            return self._run()
        finally:
            self._lock.release()

    def _run(self) -> int:
        begun, done = self._clock(), 0
        while True:
            done += self._settle()  # first: while that fails, nothing more is sent
            self._take_claimed()
            if self._claiming is None and not is_stopping() and self._clock() - begun < ROUND_SECONDS:
                self._claim()
            if not self._ready and not self._flights and self._claiming is None:
                if self._claimer is not None:
                    self._claimer.submit(connections.close_all)  # that thread's
                return done
            self._start()
            self._collect()
            self._keep_leases()

    def _take_claimed(self) -> None:
        if self._claiming is not None and self._claiming.done():
            claiming, self._claiming = self._claiming, None
            self._ready.extend(claiming.result())

    def _claim(self) -> None:
        """Claim what there is room for, beside the results of what is being sent."""
        ahead = min(MOST_AHEAD, int(self.channel.concurrency * AHEAD_SECONDS / max(self._seconds, 0.001)))
        room = self.channel.concurrency + ahead
        held = len(self._flights) + len(self._ready)
        is_early = held and self._clock() - self._claimed_at < CLAIM_SECONDS
        if is_early or (held >= self.channel.concurrency and room - held < room // 2):
            return
        self._claimed_at = self._clock()
        if not self._flights or not connection.features.has_select_for_update:  # SQLite has one writer at a time
            self._ready.extend(claim(self.channel, room - held))
        else:
            self._claimer = self._claimer or ThreadPoolExecutor(1, thread_name_prefix=f"claim-{self.channel.kind}")
            self._claiming = self._claimer.submit(self._claim_beside, room - held)

    def _claim_beside(self, free: int) -> list[Claimed]:
        close_old_connections()  # as the worker does before each run: this thread's may be broken
        return claim(self.channel, free)

    def _start(self) -> None:
        while self._ready and len(self._flights) < self.channel.concurrency:
            one = self._ready.popleft()
            if one.delivery.leased_until is None or one.delivery.leased_until <= database_now():
                continue  # another worker may have it
            if one.failure is not None or one.message is None or one.address is None:
                self._results.append(Result(one, failure=one.failure or Failed("Nothing to send.", is_permanent=True)))
            else:
                future = self._pool.submit(self._send, one.message, one.address)
                self._flights[future] = Flight(one, self._clock())

    def _collect(self) -> None:
        awaited: list[Future[Any]] = [*self._flights, *([self._claiming] if self._claiming else [])]
        if not awaited:
            return
        ended, waiting = wait(awaited, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
        if waiting and not ended.isdisjoint(self._flights):
            ended |= wait(waiting, timeout=GATHER_SECONDS).done
        for future in ended.intersection(self._flights):
            self._results.append(_result(self._flights.pop(future).claimed, future))
        self._leave_stuck()

    def _send(self, message: Message, to: Address) -> Receipt:
        begun = self._clock()
        try:
            with reading(message.language):
                return self.channel.send(message, to)
        finally:
            self._seconds += (self._clock() - begun - self._seconds) / 4

    def _settle(self) -> int:
        """Write the results, kept while the database is away."""
        if not self._results:
            return 0
        try:
            settle(self.channel, self._results)
        except UNWRITABLE:
            self._settle_one_by_one()
        settled, self._results = len(self._results), []
        return settled

    def _settle_one_by_one(self) -> None:
        for result in self._results:
            try:
                settle(self.channel, [result])
            except UNWRITABLE as error:
                log.error("result_lost", delivery=result.claimed.delivery.pk, exc_info=error)

    def _keep_leases(self) -> None:
        held = [*(flight.claimed for flight in self._flights.values()), *self._ready]
        if held and self._clock() - self._renewed > RENEW_SECONDS:
            self._renewed = self._clock()
            renew(held)

    def _leave_stuck(self) -> None:
        stuck = [future for future, flight in self._flights.items() if self._clock() - flight.since > STUCK_SECONDS]
        if not stuck:
            return
        log.error("sends_stuck", channel=self.channel.kind, count=len(stuck))
        for future in stuck:
            del self._flights[future]
        self._pool.shutdown(wait=False)
        self._pool = ThreadPoolExecutor(self.channel.concurrency, thread_name_prefix=f"send-{self.channel.kind}")


def _result(claimed: Claimed, future: "Future[Receipt]") -> Result:
    error = future.exception()
    if error is None:
        return Result(claimed, receipt=future.result())
    if isinstance(error, Failed):
        return Result(claimed, failure=error)
    log.error("send_failed", channel=claimed.delivery.channel, delivery=claimed.delivery.pk, exc_info=error)
    return Result(claimed, failure=Failed(f"{type(error).__name__} in the channel; see the worker's log."))


_senders: dict[str, Sender] = {}
_making = threading.Lock()


def sender_of(channel: Channel) -> Sender:
    """Return this process's sender of a channel."""
    with _making:
        if channel.kind not in _senders or _senders[channel.kind].channel is not channel:
            _senders[channel.kind] = Sender(channel)
        return _senders[channel.kind]
