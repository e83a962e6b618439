"""Run background jobs, each in its own thread and connection."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Collection, Sequence

import structlog
from django.db import Error, close_old_connections, connection
from django.utils import timezone

from core.db.outages import Trouble, outages
from core.models import JobRun
from core.server.condition import ClockCheck
from core.server.jobs import Job, register_waker, remove_waker, stopping_by
from core.server.wakeups import receive_wakeups

log = structlog.get_logger(__name__)

RECORD_SECONDS = 10.0  # between records of a fast job
MAX_DELAY_SECONDS = 30.0  # between failing attempts
MAX_TROUBLE_SECONDS = 4.0  # during an outage
YIELD_SECONDS = 0.05  # at most, after a run that took as long
EAGER_SECONDS = 0.1  # between looks of an eager job
EAGER_FOR_SECONDS = 5.0  # after it found work
KEEP_SECONDS = 4.0  # jobs that rest so long give their connection back: servers allow 151
LINGER_SECONDS = 1.0  # before they do: they may be woken again
APART_SECONDS = 0.1  # between the first runs of such jobs


class Runner:
    """Runs one job repeatedly."""

    def __init__(self, job: Job, stopping: threading.Event, *, after_seconds: float = 0.0) -> None:
        self.job = job
        self.after_seconds = after_seconds
        self.stopping = stopping
        self.failures = 0
        self.trouble: Trouble | None = None  # behind the last failure
        self._recorded = -RECORD_SECONDS
        self._found_work = -EAGER_FOR_SECONDS
        self._woken = threading.Event()
        self._rests_until = 0.0

    def wake(self) -> None:
        """Have the job run soon; once for any number of calls before that."""
        self._woken.set()

    def loop(self) -> None:
        """Run the job when due or woken, until told to stop."""
        self._woken.wait(self.after_seconds)
        try:
            with stopping_by(self.stopping):
                self._repeat()
        finally:
            connection.close()

    def _repeat(self) -> None:
        while not self.stopping.is_set():
            begun = time.monotonic()
            self._woken.clear()  # whatever comes from now on may find more
            self.run_once(timezone.now())
            self._rest(begun)

    def _rest(self, begun: float) -> None:
        """Wait until the job is due or woken; a failing one is not woken."""
        due, ended = begun + self._delay(), time.monotonic()
        if self.failures:
            self._give_back(due - ended)
        else:
            self._wait_for_work(due - ended)
            # a busy job lets others go first, and finds more to do at once
            due = min(due, max(begun + self.job.gather, ended + min(ended - begun, YIELD_SECONDS)))
        self.stopping.wait(max(0.0, due - time.monotonic()))

    def _wait_for_work(self, seconds: float) -> None:
        if not self._woken.wait(min(max(0.0, seconds), LINGER_SECONDS)):
            self._give_back(seconds)
            self._woken.wait(max(0.0, seconds - LINGER_SECONDS))

    def _give_back(self, seconds: float) -> None:
        """Close the connection of a job that rests so long."""
        if seconds >= KEEP_SECONDS:
            connection.close()

    def run_if_rested(self, now: dt.datetime) -> None:
        """Run the job, unless it failed a moment ago."""
        if time.monotonic() >= self._rests_until:
            begun = time.monotonic()
            self.run_once(now)
            self._rests_until = begun + self._delay() if self.failures else 0.0

    def run_once(self, now: dt.datetime) -> None:
        """Run the job, surviving its errors."""
        close_old_connections()
        try:
            done = self.job.run(now)
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
            if done:
                self._found_work = time.monotonic()
            self._record(now, error="", at_once=is_recovered)

    def _delay(self) -> float:
        if not self.failures:
            is_busy = self.job.is_eager and time.monotonic() - self._found_work < EAGER_FOR_SECONDS
            return min(self.job.interval, EAGER_SECONDS) if is_busy else self.job.interval
        longest = MAX_DELAY_SECONDS if self.trouble is None else MAX_TROUBLE_SECONDS
        rest = min(longest, 2.0 ** min(self.failures - 1, 5))
        # an eager job is woken for what is due, but not while it fails
        return rest if self.job.is_eager else max(self.job.interval, rest)

    def _record(self, now: dt.datetime, *, error: str, at_once: bool = False) -> None:
        if not at_once and time.monotonic() - self._recorded < RECORD_SECONDS:
            return
        outcome = {"failed_at": now} if error else {"succeeded_at": now}
        try:
            values = {"started_at": now, "error": error, **outcome}
            if not JobRun.objects.filter(name=self.job.name).update(**values):
                JobRun.objects.get_or_create(name=self.job.name, defaults=values)
        except Error as failure:
            if outages.note(failure) is None:
                log.warning("could not record a job's run", job=self.job.name, error=str(failure))
        else:
            self._recorded = time.monotonic()


class Runners:
    """The runners of a worker."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.stopping = threading.Event()
        rare = [job for job in jobs if job.interval >= KEEP_SECONDS]
        starts = {job.name: place * APART_SECONDS for place, job in enumerate(rare)}
        self.by_name = {job.name: Runner(job, self.stopping, after_seconds=starts.get(job.name, 0.0)) for job in jobs}
        self.threads = [
            threading.Thread(target=runner.loop, name=name, daemon=True) for name, runner in self.by_name.items()
        ]

    def start(self) -> None:
        register_waker(self.wake)
        for thread in self.threads:
            thread.start()

    def wake(self, names: Collection[str]) -> None:
        """Have these jobs run soon; others' names mean nothing here."""
        for name in names:
            if name in self.by_name:
                self.by_name[name].wake()

    def stop(self, grace_seconds: float) -> bool:
        """Let all jobs finish; return False beyond the grace."""
        remove_waker(self.wake)
        self.stopping.set()
        self.wake(self.by_name)
        deadline = time.monotonic() + grace_seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self.threads)


def work(jobs: Sequence[Job], is_told_to_stop: Callable[[float], bool], grace_seconds: float) -> bool:
    """Run all jobs until told to stop; return False beyond the grace.

    `is_told_to_stop` waits for the given seconds.
    """
    runners = Runners(jobs)
    runners.start()
    receive_wakeups(runners.wake)
    look_at_clock = ClockCheck()
    while not is_told_to_stop(1.0):
        look_at_clock()
    return runners.stop(grace_seconds)
