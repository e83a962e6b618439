"""`manage.py worker`: run the background jobs."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incident_response.health import Unhealthy, check_worker
from incident_response.supervisor import stop_with_parent
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
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_received: stopping.set())
        if options["supervised"]:
            stop_with_parent()
        jobs = all_jobs()
        self.stdout.write(f"Worker running {', '.join(job.name for job in jobs)}.")
        if not work(jobs, stopping):
            raise CommandError("A job was cut short; its unfinished rows will be taken up again.")

    def _report(self) -> None:
        try:
            self.stdout.write(f"Worker {check_worker()}.")
        except Unhealthy as reason:
            raise CommandError(str(reason)) from reason
