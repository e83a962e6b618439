"""`manage.py verify_history`: detect edits that bypassed the application."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import StorageUnavailable
from core.management.migrated import require_migrated
from incidents.attachments.storing import check_files
from incidents.models import Attachment, Incident, IncidentQuerySet
from incidents.services.history import Check, verify_all

SECONDS_BETWEEN_LINES = 5.0


class Command(BaseCommand):
    """Verify timelines and the rows that they seal."""

    help = (
        "Verify the digest chains of timelines, and that incidents, attachments, followers and links match them; "
        "report the first row of each incident that was edited, inserted or removed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("references", nargs="*", metavar="INC-12", help="Incidents to verify (default: all).")
        parser.add_argument("--files", action="store_true", help="Also read every stored file and verify its digest.")
        parser.add_argument(
            "--seal", action="store_true", help="Seal the rows of intact incidents that predate row sealing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the first fault of each broken timeline, and fail if there is one."""
        require_migrated()
        total = broken = 0
        said_at = time.monotonic()
        check = Check(file_fault=_find_file_faults if options["files"] else None, seals=options["seal"])
        for fault in verify_all(_select_incidents(options["references"]), check=check):
            total += 1
            if fault:
                broken += 1
                self.stdout.write(str(fault))
            if time.monotonic() - said_at >= SECONDS_BETWEEN_LINES:
                self.stderr.write(f"{total:,} timelines verified")
                said_at = time.monotonic()
        if check.sealed:
            self.stdout.write(f"{check.sealed:,} incidents sealed.")
        if check.unsealed:
            self.stdout.write(
                f"{check.unsealed:,} incidents predate row sealing: what their timelines do not record cannot be "
                "verified. Once you trust them, run verify_history --seal."
            )
        if broken:
            raise CommandError(f"{broken:,} of {total:,} timelines have been altered.")
        self.stdout.write(f"{total:,} timelines verified, all intact.")


def _find_file_faults(attachment: Attachment) -> str:
    """Return the faults of an attachment's files. Raises CommandError when the store is unavailable."""
    try:
        return ", ".join(str(fault) for fault in check_files([attachment]))
    except StorageUnavailable as error:
        raise CommandError(error.message) from error


def _select_incidents(references: list[str]) -> IncidentQuerySet:
    """Return the incidents, deleted ones too. Raises CommandError for an unknown one."""
    if not references:
        return Incident.objects.all()
    wanted = {_parse_reference(reference): reference for reference in references}
    found = Incident.objects.filter(pk__in=wanted)
    absent = [reference for pk, reference in wanted.items() if pk not in set(found.values_list("pk", flat=True))]
    if absent:
        raise CommandError(f"There is no incident {', '.join(absent)}.")
    return found


def _parse_reference(reference: str) -> int:
    digits = reference.upper().removeprefix("INC-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise CommandError(f"{reference} is not an incident; give a reference such as INC-12.")
    return int(digits)
