"""`manage.py worker`: run the background jobs."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from incident_response.condition import Unhealthy
from incident_response.health import WorkerCheck
from incident_response.stopping import StopSignals
from incident_response.supervisor import stop_with_parent
from incident_response.waits import limit_waits_of_worker
from incident_response.worker import all_jobs, work


class Command(BaseCommand):
    help = "Run the background jobs until SIGTERM or SIGINT. Any number of workers may run at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--supervised", action="store_true", help="Stop when standard input ends (set by `serve`).")
        parser.add_argument("--is-alive", action="store_true", help="Only say whether a worker was heard of lately.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["is_alive"]:
            self._report()
            return
        signals = StopSignals()
        limit_waits_of_worker()
        if options["supervised"]:
            stop_with_parent()
        jobs = all_jobs()
        self.stdout.write(f"Worker running {', '.join(job.name for job in jobs)}.")
        is_clean = work(jobs, signals.wait, settings.STOP_SECONDS)
        signals.ignore()
        if not is_clean:
            raise CommandError("A job was cut short; its unfinished rows will be taken up again.")

    def _report(self) -> None:
        try:
            self.stdout.write(f"Worker {WorkerCheck()()}.")
        except Unhealthy as reason:
            raise CommandError(str(reason)) from reason
