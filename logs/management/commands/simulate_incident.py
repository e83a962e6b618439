"""`manage.py simulate_incident`: from log lines to an incident."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from alerts.models import Alert
from alerts.services import process_waiting
from core.errors import DomainError
from core.management.migrated import require_migrated
from logs.models import RuleSeverity
from logs.services.simulating import Scenario, Simulated, alerts_of, is_waiting, simulate

WAIT_SECONDS = 10.0  # for a worker that holds the event


class Command(BaseCommand):
    help = "Write log lines that raise an alert and open an incident, reporting each step."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--type", choices=Scenario.values, default=Scenario.HIGH_ERROR_RATE)
        parser.add_argument("--severity", choices=RuleSeverity.values, default=RuleSeverity.HIGH)
        parser.add_argument("--service", default="simulation")

    def handle(self, *args: Any, **options: Any) -> None:
        require_migrated()
        try:
            done = simulate(
                options["type"], severity=options["severity"], service=options["service"], now=timezone.now()
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        for step in done.steps:
            self.stdout.write(step)
        found = _process(done)
        if not found:
            raise CommandError("No alert was created: a route drops it, or a worker is still processing it.")
        for alert in found:
            self.stdout.write(f"Alert “{alert.title}” is {alert.status}.")
            if alert.incident is None:
                self.stdout.write("It has no incident: a silence or a route is holding it back.")
            else:
                self.stdout.write(self.style.SUCCESS(f"Incident {alert.incident.reference}: {alert.incident.title}"))


def _process(done: Simulated) -> list[Alert]:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while is_waiting(done) and time.monotonic() < give_up_at:
        if not process_waiting():
            time.sleep(0.1)
    return alerts_of(done)
