"""`manage.py worker`: run the background jobs."""

import datetime as dt
import time
from argparse import ArgumentParser
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.server.checks import WorkerCheck
from core.server.condition import Unhealthy
from core.server.jobs import Job, UnknownGroup, jobs_of
from core.server.stopping import StopSignals
from core.server.supervisor import stop_with_parent
from core.server.waits import limit_waits_of_worker
from core.server.worker import RECORD_SECONDS, work

AHEAD = dt.timedelta(seconds=2)  # clocks differ


class Command(BaseCommand):
    help = "Run the background jobs until SIGTERM or SIGINT. Any number of workers may run at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_group_arguments(parser)
        parser.add_argument("--supervised", action="store_true", help="Stop when standard input ends (set by `serve`).")
        parser.add_argument("--is-alive", action="store_true", help="Report whether a worker ran recently, then exit.")

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = chosen_jobs(options)
        if options["is_alive"]:
            self._report({job.group for job in jobs})
            return
        signals = StopSignals()
        limit_waits_of_worker()
        if options["supervised"]:
            stop_with_parent()
        names = ", ".join(job.name for job in jobs)
        self.stdout.write(f"Having Celery run {names}." if settings.ENGINE == "celery" else f"Worker running {names}.")
        is_clean = engine()(jobs, signals.wait, settings.STOP_SECONDS)
        signals.ignore()
        if not is_clean:
            raise CommandError("A job was cut short; its unfinished rows will be taken up again.")

    def _report(self, groups: Collection[str]) -> None:
        try:
            self.stdout.write(f"Worker {last_seen(groups)}.")
        except Unhealthy as reason:
            raise CommandError(str(reason)) from reason


def engine() -> Callable[[Sequence[Job], Callable[[float], bool], float], bool]:
    """Return what runs jobs: this process, or Celery at its request."""
    if settings.ENGINE == "celery":
        from core.server.ticker import tick

        return tick
    return work


def add_group_arguments(parser: ArgumentParser) -> None:
    """Let a command choose what its worker runs."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", nargs="+", default=[], metavar="GROUP", help="Run only these groups of jobs.")
    which.add_argument(
        "--except", nargs="+", default=[], metavar="GROUP", dest="leave_out", help="Run all but these groups of jobs."
    )


def chosen_jobs(options: Mapping[str, Any]) -> list[Job]:
    """Return the jobs that a command line chooses. Raises CommandError."""
    try:
        jobs = jobs_of(options["only"], options["leave_out"])
    except UnknownGroup as error:
        raise CommandError(str(error)) from error
    if not jobs:
        raise CommandError("That leaves no job to run.")
    return jobs


def last_seen(groups: Collection[str] = ()) -> str:
    """Return when workers of all groups, or of these, were last seen. Raises Unhealthy."""
    check = WorkerCheck(groups)
    said = check()
    if check.latest is None or check.latest <= timezone.now() + AHEAD:
        return said
    before = check.latest
    time.sleep(RECORD_SECONDS + 1)
    said = check()
    if check.latest == before:
        raise Unhealthy("The worker's last run has a future timestamp, and none followed it.")
    return said
