"""`manage.py import_incidents FILE --mapping MAP`: import history from another system (docs/import.md)."""

import csv
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.backoffice.spreadsheets import cell
from core.errors import DomainError
from core.management.migrated import require_migrated
from incidents.imports.mapping import Mapping, load
from incidents.imports.reading import Cells, Refusal, records
from incidents.imports.replay import ImportedIncident, read_incident
from incidents.imports.spool import Spool
from incidents.services.importing import Names, Outcome, import_batch

BATCH = 200  # incidents per transaction
SHOWN_REFUSALS = 20
SECONDS_BETWEEN_LINES = 0.5
INCIDENTS_BETWEEN_LINES = 5_000


class Report:
    """Writes refused rows to a CSV file, or the first few to the screen."""

    def __init__(self, stream: TextIO | None, screen: Any) -> None:
        self.writer = csv.writer(stream) if stream else None
        self.screen = screen
        self.reasons: Counter[str] = Counter()
        if self.writer:
            self.writer.writerow(["line", "incident", "reason"])

    @property
    def count(self) -> int:
        return self.reasons.total()

    def add_refusal(self, refusal: Refusal) -> None:
        self.reasons[refusal.reason.partition(":")[0]] += 1
        if self.writer:
            self.writer.writerow([refusal.line, cell(refusal.external_id), cell(refusal.reason)])
        elif self.count <= SHOWN_REFUSALS:
            self.screen.write(f"line {refusal.line}: {refusal.reason}")


class Progress:
    """Shows progress on stderr: often on a terminal, rarely in a log file."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty()
        self.shown_at = time.monotonic()
        self.shown_count = 0

    def show(self, what: str, done: int) -> None:
        """Show the count unless one was just shown."""
        now = time.monotonic()
        if self.is_terminal and now - self.shown_at >= SECONDS_BETWEEN_LINES:
            self.stream.write(f"\r{done:,} {what}\033[K", ending="")
            self.stream.flush()
            self.shown_at = now
        elif not self.is_terminal and done - self.shown_count >= INCIDENTS_BETWEEN_LINES:
            self.stream.write(f"{done:,} {what}")
            self.shown_count = done

    def end(self) -> None:
        if self.is_terminal:
            self.stream.write("\r\033[K", ending="")


class Command(BaseCommand):
    """Import incidents with their history."""

    help = "Import incidents with their history from a CSV log (.csv or .csv.gz). Repeated runs skip what is present."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--mapping", required=True, metavar="MAP", help="A TOML file, or the name of a built-in mapping."
        )
        parser.add_argument("--dry-run", action="store_true", help="Report what would be imported, without writing.")
        parser.add_argument("--report", type=Path, metavar="CSV", help="Write rejected rows and reasons to this file.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file and print a summary."""
        require_migrated()
        try:
            mapping = load(options["mapping"])
            with ExitStack() as stack:
                report = Report(_report_stream(options["report"], stack), self.stderr)
                self._import(options["file"], mapping, report, is_dry_run=options["dry_run"])
        except DomainError as error:
            raise CommandError(error.message) from error

    def _import(self, file: Path, mapping: Mapping, report: Report, *, is_dry_run: bool) -> None:
        outcome, progress, names = Outcome(), Progress(self.stderr), Names(mapping)
        with Spool() as spool:
            rows = _readable_records(file, mapping, report, progress)
            spool.fill(rows)
            importable = _importable(spool, mapping, names, report)
            try:
                while batch := list(islice(importable, BATCH)):
                    outcome += import_batch(batch, names=names, is_dry_run=is_dry_run)
                    progress.show("incidents", outcome.imported + outcome.present)
            except KeyboardInterrupt as error:
                self._summarise(outcome, report, is_dry_run=is_dry_run)
                raise CommandError(
                    "Interrupted. Imported incidents remain; run it again to continue.", returncode=130
                ) from error
            finally:
                progress.end()
        self._summarise(outcome, report, is_dry_run=is_dry_run)

    def _summarise(self, outcome: Outcome, report: Report, *, is_dry_run: bool) -> None:
        verb = "Would import" if is_dry_run else "Imported"
        lines = [f"{verb} {outcome.imported:,} incidents with {outcome.events:,} events."]
        lines.append(f"Skipped as already present: {outcome.present:,} incidents.")
        if outcome.behind:
            lines.append(f"Of those, {outcome.behind:,} have fewer events than the file.")
        lines.append(f"Rejected rows: {report.count:,}.")
        lines += [f"  {count:,} × {reason}" for reason, count in report.reasons.most_common(10)]
        self.stdout.write("\n".join(lines))


def _report_stream(path: Path | None, stack: ExitStack) -> TextIO | None:
    if path is None:
        return None
    try:
        return stack.enter_context(path.open("w", newline="", encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"The report {path} cannot be written: {error.strerror}.") from error


def _readable_records(file: Path, mapping: Mapping, report: Report, progress: Progress) -> Iterator[Cells]:
    for number, record in enumerate(records(file, mapping), 1):
        if isinstance(record, Refusal):
            report.add_refusal(record)
        else:
            yield record
        progress.show("rows read", number)
    progress.shown_count = 0


def _importable(spool: Spool, mapping: Mapping, names: Names, report: Report) -> Iterator[ImportedIncident]:
    now = timezone.now()
    for group in spool.incidents():
        imported, refusals = read_incident(group, mapping, now)
        for refusal in refusals:
            report.add_refusal(refusal)
        reason = names.refused(imported) if imported else None
        if imported and reason is None:
            yield imported
        elif imported and reason:
            for cells in group:
                report.add_refusal(Refusal(cells.line, imported.external_id, reason))
