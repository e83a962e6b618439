"""`manage.py verify_history`: was any timeline edited behind our back?"""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents.models import Incident, IncidentQuerySet
from incidents.services.history import verify_all

SECONDS_BETWEEN_LINES = 5.0


class Command(BaseCommand):
    """Check the chains of digests."""

    help = "Check the timelines' chains of digests; name the first row that was edited, inserted or removed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which incidents; all of them when none is named."""
        parser.add_argument("references", nargs="*", metavar="INC-12", help="Incidents to check (default: all).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the first fault of each broken timeline; fail if there is any."""
        total = broken = 0
        said_at = time.monotonic()
        for fault in verify_all(_selected(options["references"])):
            total += 1
            if fault:
                broken += 1
                self.stdout.write(str(fault))
            if time.monotonic() - said_at >= SECONDS_BETWEEN_LINES:
                self.stderr.write(f"{total:,} timelines checked")
                said_at = time.monotonic()
        if broken:
            raise CommandError(f"{broken:,} of {total:,} timelines are not as they were written.")
        self.stdout.write(f"{total:,} timelines checked, all whole.")


def _selected(references: list[str]) -> IncidentQuerySet:
    """The incidents named, deleted ones too. Raises CommandError for one that is not there."""
    if not references:
        return Incident.objects.all()
    wanted = {_number(reference): reference for reference in references}
    found = Incident.objects.filter(pk__in=wanted)
    absent = [reference for pk, reference in wanted.items() if pk not in set(found.values_list("pk", flat=True))]
    if absent:
        raise CommandError(f"There is no incident {', '.join(absent)}.")
    return found


def _number(reference: str) -> int:
    digits = reference.upper().removeprefix("INC-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise CommandError(f"{reference} is not an incident; give a reference such as INC-12.")
    return int(digits)
