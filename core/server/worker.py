"""Run background jobs, each in its own thread and connection."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence

import structlog
from django.db import Error, close_old_connections, connection
from django.utils import timezone

from core.db.outages import Trouble, outages
from core.models import JobRun
from core.server.condition import ClockCheck
from core.server.jobs import Job

log = structlog.get_logger(__name__)

RECORD_SECONDS = 5.0  # between records of a fast job
MAX_DELAY_SECONDS = 30.0  # between failing attempts
MAX_TROUBLE_SECONDS = 4.0  # during an outage


class Runner:
    """Runs one job repeatedly."""

    def __init__(self, job: Job, stopping: threading.Event) -> None:
        self.job = job
        self.stopping = stopping
        self.failures = 0
        self.trouble: Trouble | None = None  # behind the last failure
        self._recorded = -RECORD_SECONDS

    def loop(self) -> None:
        """Run the job when due, until told to stop."""
        try:
            while not self.stopping.is_set():
                begun = time.monotonic()
                self.run_once(timezone.now())
                self.stopping.wait(max(0.0, self._delay() - (time.monotonic() - begun)))
        finally:
            connection.close()

    def run_once(self, now: dt.datetime) -> None:
        """Run the job, surviving its errors."""
        close_old_connections()
        try:
            self.job.run(now)
        except Exception as error:
            self.failures += 1
            self.trouble = outages.note(error)
            if self.trouble is None:
                log.error("job failed", job=self.job.name, failures=self.failures, exc_info=error)
            self._record(now, error=f"{type(error).__name__}: {error}"[:1000])
        else:
            is_recovered = self.failures > 0
            if self.trouble is not None:
                outages.over(self.trouble)
            self.failures, self.trouble = 0, None
            self._record(now, error="", at_once=is_recovered)

    def _delay(self) -> float:
        if not self.failures:
            return self.job.interval
        longest = MAX_DELAY_SECONDS if self.trouble is None else MAX_TROUBLE_SECONDS
        return max(self.job.interval, min(longest, 2.0 ** min(self.failures - 1, 5)))

    def _record(self, now: dt.datetime, *, error: str, at_once: bool = False) -> None:
        if not at_once and time.monotonic() - self._recorded < RECORD_SECONDS:
            return
        outcome = {"failed_at": now} if error else {"succeeded_at": now}
        try:
            JobRun.objects.update_or_create(name=self.job.name, defaults={"started_at": now, "error": error, **outcome})
        except Error as failure:
            if outages.note(failure) is None:
                log.warning("could not record a job's run", job=self.job.name, error=str(failure))
        else:
            self._recorded = time.monotonic()


def work(jobs: Sequence[Job], is_told_to_stop: Callable[[float], bool], grace_seconds: float) -> bool:
    """Run all jobs until told to stop; return False beyond the grace.

    `is_told_to_stop` waits for the given seconds.
    """
    stopping = threading.Event()
    threads = [threading.Thread(target=Runner(job, stopping).loop, name=job.name, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    look_at_clock = ClockCheck()
    while not is_told_to_stop(1.0):
        look_at_clock()
    stopping.set()
    deadline = time.monotonic() + grace_seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)
