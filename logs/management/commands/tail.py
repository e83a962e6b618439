"""`manage.py tail FILE --service NAME`: see docs/logs.md."""

import os
import signal
import socket
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import DomainError
from core.management.migrated import require_migrated
from logs.lines import Line
from logs.tailing import Follower, Joiner, line_from
from logs.tailing.sending import ToDatabase, ToServer

BATCH = 500
POLL_SECONDS = 0.5
QUIET_SECONDS = 1.0  # that finish a record
ATTEMPTS_ONCE = 8


class Target(Protocol):
    def send(self, lines: list[Line]) -> int:
        """Send lines; return how many were accepted."""


class Command(BaseCommand):
    help = "Follow a log file and send its lines to a server (--url, --key) or straight to this database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--service", required=True, help="The service that writes the file.")
        parser.add_argument("--host", default=socket.gethostname(), help="The host (default: this machine's name).")
        parser.add_argument("--url", help="A server, such as https://incidents.example.org.")
        parser.add_argument("--key", help="A key of a source of kind logs (or set LOG_KEY).")
        parser.add_argument("--zone", default="UTC", help="Time zone of timestamps without one, such as Asia/Tokyo.")
        parser.add_argument("--from-start", action="store_true", help="Also send the lines the file already holds.")
        parser.add_argument("--once", action="store_true", help="Stop at the end of the file.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.zone = ZoneInfo(options["zone"])
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise CommandError(f"{options['zone']} is not a time zone.") from error
        if options["once"] and not options["file"].is_file():
            raise CommandError(f"{options['file']} does not exist or is not a file.")
        self.service, self.host = options["service"], options["host"]
        self.target, self.total = self._target(options), 0
        self.follower = Follower(options["file"], from_start=options["from_start"] or options["once"])
        self.joiner = Joiner()
        try:
            self._finish() if options["once"] else self._follow()
        except DomainError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            self._send_last()
        finally:
            self.follower.close()
            self.stdout.write(f"Sent {self.total:,} lines.")

    def _send_last(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if isinstance(self.target, ToServer):
            self.target.attempts = 1
        try:
            self._send(self.joiner.flush())
        except DomainError as error:
            raise CommandError(error.message) from error

    def _target(self, options: dict[str, Any]) -> Target:
        if not options["url"]:
            require_migrated()
            return ToDatabase()
        key = options["key"] or os.environ.get("LOG_KEY", "")
        if not key:
            raise CommandError("Pass the source's key with --key or in LOG_KEY.")
        attempts = ATTEMPTS_ONCE if options["once"] else None
        return ToServer(options["url"], key, attempts=attempts, warn=self.stderr.write)

    def _finish(self) -> None:
        while lines := self.follower.poll():
            self._take(lines)
        self._take(self.follower.finish())
        self._send(self.joiner.flush())

    def _follow(self) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a second signal must not cost the last lines
        last_line_at = time.monotonic()
        while True:
            if lines := self.follower.poll():
                last_line_at = time.monotonic()
                self._take(lines)
                continue
            if time.monotonic() - last_line_at >= QUIET_SECONDS:
                self._send(self.joiner.flush())
            time.sleep(POLL_SECONDS)

    def _take(self, lines: list[str]) -> None:
        records = [record for line in lines for record in self.joiner.feed(line)]
        for start in range(0, len(records), BATCH):
            self._send(records[start : start + BATCH])

    def _send(self, records: list[str]) -> None:
        if records:
            now = timezone.now()
            lines = [
                line_from(record, service=self.service, host=self.host, now=now, zone=self.zone) for record in records
            ]
            self.total += self.target.send(lines)
