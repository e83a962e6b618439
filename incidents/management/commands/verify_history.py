"""`manage.py verify_history`: was anything edited behind our back?"""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import StorageUnavailable
from incidents.attachments.storing import check_files
from incidents.models import Attachment, Incident, IncidentQuerySet
from incidents.services.history import Check, verify_all

SECONDS_BETWEEN_LINES = 5.0


class Command(BaseCommand):
    """Check the chains of digests, and the rows that the timelines tell of."""

    help = (
        "Check the timelines' chains of digests, and whether incidents, their files, followers and links are as the "
        "timelines say; name the first row of each incident that was edited, inserted or removed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which incidents; all of them when none is named."""
        parser.add_argument("references", nargs="*", metavar="INC-12", help="Incidents to check (default: all).")
        parser.add_argument("--files", action="store_true", help="Read every stored file, too, and check its digest.")
        parser.add_argument(
            "--seal", action="store_true", help="Seal the rows of whole incidents from before rows were sealed."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the first fault of each broken timeline; fail if there is any."""
        total = broken = 0
        said_at = time.monotonic()
        check = Check(file_fault=_file_fault if options["files"] else None, seals=options["seal"])
        for fault in verify_all(_selected(options["references"]), check=check):
            total += 1
            if fault:
                broken += 1
                self.stdout.write(str(fault))
            if time.monotonic() - said_at >= SECONDS_BETWEEN_LINES:
                self.stderr.write(f"{total:,} timelines checked")
                said_at = time.monotonic()
        if check.sealed:
            self.stdout.write(f"{check.sealed:,} incidents were sealed.")
        if check.unsealed:
            self.stdout.write(
                f"{check.unsealed:,} incidents are from before rows were sealed: what their timelines do not tell "
                "cannot be checked. Once you trust them, run verify_history --seal."
            )
        if broken:
            raise CommandError(f"{broken:,} of {total:,} timelines are not as they were written.")
        self.stdout.write(f"{total:,} timelines checked, all whole.")


def _file_fault(attachment: Attachment) -> str:
    """What is wrong with the files of an attachment, "" for nothing. Raises CommandError when the store is away."""
    try:
        return ", ".join(str(fault) for fault in check_files([attachment]))
    except StorageUnavailable as error:
        raise CommandError(error.message) from error


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
