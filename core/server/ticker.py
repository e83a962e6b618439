"""Have jobs run on Celery at their intervals: `manage.py worker` with ENGINE=celery."""

import time
from collections.abc import Callable, Sequence

import structlog
from django.db import Error
from django.utils import timezone

from core.db.outages import outages
from core.models import JobRun
from core.server.condition import ClockCheck
from core.server.jobs import Job
from core.server.messages import Broker, BrokerAway
from core.server.worker import Runners

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.25
RARE_SECONDS = 30.0  # jobs of a longer interval are due by their last run in the database
SUBSTITUTE_SECONDS = 5.0  # without a broker


class Ticker:
    """Decides which jobs are to run now."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._frequent = {job: 0.0 for job in jobs if job.interval <= RARE_SECONDS}  # when due
        self._rare = [job for job in jobs if job.interval > RARE_SECONDS]
        self._look_at = 0.0

    def due(self, now: float) -> list[Job]:
        """Return the jobs that are due at a time of the monotonic clock; each is then due an interval later."""
        due = [job for job, moment in self._frequent.items() if now >= moment]
        for job in due:
            self._frequent[job] = now + job.interval
        if now >= self._look_at:
            self._look_at = now + RARE_SECONDS
            due += self._overdue()
        return due

    def _overdue(self) -> list[Job]:
        """Return rare jobs without a recent run, also those whose message was lost."""
        try:
            runs = dict(JobRun.objects.values_list("name", "started_at"))
        except Error as error:
            if outages.note(error) is None:
                log.warning("job_runs_not_read", error=str(error))
            return []
        now = timezone.now()
        return [
            job for job in self._rare if job.name not in runs or (now - runs[job.name]).total_seconds() >= job.interval
        ]


class Substitute:
    """Runs the jobs here for as long as the broker is away."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._runners: Runners | None = None

    def start(self) -> None:
        if self._runners is None:
            log.warning("running_jobs_without_broker")
            self._runners = Runners(self._jobs)
            self._runners.start()

    def stop(self, grace_seconds: float) -> bool:
        """Finish what runs; return False beyond the grace."""
        runners, self._runners = self._runners, None
        return runners.stop(grace_seconds) if runners else True


def tick(jobs: Sequence[Job], is_told_to_stop: Callable[[float], bool], grace_seconds: float) -> bool:
    """Ask for runs until told to stop; return False beyond the grace."""
    ticker, broker, substitute, look_at_clock = Ticker(jobs), Broker(), Substitute(jobs), ClockCheck()
    while not is_told_to_stop(TICK_SECONDS):
        look_at_clock()
        try:
            broker.send(ticker.due(time.monotonic()))
        except BrokerAway:
            if broker.away_since is not None and time.monotonic() - broker.away_since >= SUBSTITUTE_SECONDS:
                substitute.start()
        else:
            substitute.stop(grace_seconds)
    broker.close()
    return substitute.stop(grace_seconds)
