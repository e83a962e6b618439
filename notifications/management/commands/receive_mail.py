"""`manage.py receive_mail`: what a mail server pipes its mails to."""

import sys
from argparse import ArgumentParser
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError

from core.db.clock import database_now
from notifications.channels.email.inbound.receiving import MAX_BYTES, receive

log = structlog.get_logger(__name__)

EX_NOINPUT, EX_TEMPFAIL = 66, 75  # sysexits.h; the server tries again after the second


class Command(BaseCommand):
    help = (
        "Store one mail from standard input; the worker does the rest. Exits with 0 once it is stored, "
        "and with 75 (try again later) if the database is away."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sender", help="Envelope sender; empty if the mail cannot be returned.")
        parser.add_argument("--recipient", default="", help="Address it was delivered to.")

    def handle(self, *args: Any, **options: Any) -> None:
        raw, size = _read()
        if not raw.strip():
            raise CommandError("There is no mail on standard input.", returncode=EX_NOINPUT)
        try:
            receive(
                raw,
                now=database_now(),
                size=size,
                envelope_sender=options["sender"],
                recipient=options["recipient"],
            )
        except Exception as error:  # whatever it is, the mail server keeps the mail
            log.exception("mail_not_stored")
            raise CommandError(
                f"The mail could not be stored; try again: {type(error).__name__}", returncode=EX_TEMPFAIL
            ) from error


def _read() -> tuple[bytes, int]:
    """Return the beginning of the mail, and its whole size."""
    raw = sys.stdin.buffer.read(MAX_BYTES)
    size = len(raw)
    while more := sys.stdin.buffer.read(1024 * 1024):
        size += len(more)
    return raw, size
