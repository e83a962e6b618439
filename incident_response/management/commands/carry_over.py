"""`manage.py carry_over --from URL`: adopt an earlier checkout's data."""

import datetime as dt
from argparse import ArgumentParser
from contextlib import closing
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Length
from django.utils import timezone

from alerts.services.enqueueing import INTERNAL_FORMAT
from assistant.services import asking, routing_records
from core.server.condition import CARRY_OVER
from incident_response.backups import databases, files
from incident_response.carry_over import CarryOverError, copying
from incident_response.carry_over.tables import JOB_RUNS, Table, tables_of
from incidents.models import FeedCursor
from incidents.search import rebuild_index
from incidents.services.feed import skip_history
from intake.models import IntakeEvent
from notifications.services import feeding
from paging.services import starting
from reviews.services import rules

# Where they stood is carried over; readers that the earlier checkout did not have begin with what comes.
LATER_READERS = frozenset({asking.READER, routing_records.READER})


class Command(BaseCommand):
    help = "Fill the new, empty database that DATABASE_URL names from one of an earlier checkout, which is only read."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="source", metavar="URL", required=True, help="The earlier one, written as DATABASE_URL is."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with copying.opened(options["source"]) as earlier:
                tables = tables_of(earlier)
                mark = MigrationRecorder(connection)
                _check_nobody_is_there(earlier, is_repeated=CARRY_OVER in mark.applied_migrations())
                call_command("migrate", verbosity=0)
                mark.record_unapplied(*CARRY_OVER)
                mark.record_applied(*CARRY_OVER)
                self._carry(tables, earlier)
                mark.record_unapplied(*CARRY_OVER)
        except (CarryOverError, DatabaseError) as error:
            raise CommandError(f"Not carried over: {error}") from error
        self._verify()

    def _carry(self, tables: list[Table], earlier: Any) -> None:
        copying.empty(tables)
        changes = copying.changes_of(tables, earlier)
        with connection.constraint_checks_disabled():
            for table in tables:
                carried = copying.Sum()
                with closing(copying.read(earlier, table, changes)) as rows:
                    copying.write(table, carried.over(rows))
                copying.compare(table, carried)
                copying.go_on_numbering(table, earlier)
                self.stdout.write(f"{carried.count:>12,}  {table.name}")
        # The queue's own messages have another name, and a worker measures none that wait.
        IntakeEvent.objects.filter(format="draft").update(format=INTERNAL_FORMAT)
        IntakeEvent.objects.waiting().filter(byte_count=None).update(byte_count=Length("body"))
        skip_history(starting.READER, feeding.CURSOR, rules.READER)  # else all of history would page
        skip_history(*LATER_READERS.difference(FeedCursor.objects.values_list("name", flat=True)))
        connection.check_constraints()
        searchable = max(rebuild_index(), default=0)
        self.stdout.write(f"All rows were copied; {searchable:,} incidents are searchable.")

    def _verify(self) -> None:
        missing = files.missing()
        for fault in missing:
            self.stderr.write(fault)
        try:
            call_command("verify_history", stdout=self.stdout, stderr=self.stderr)
        except CommandError as error:
            raise CommandError(
                f"Carried over unchanged; the timelines listed above had already been altered: {error}"
            ) from error
        if missing:
            raise CommandError(f"Carried over, except for {len(missing):,} files listed above.")
        self.stdout.write("Carried over and verified.")


def _check_nobody_is_there(earlier: Any, *, is_repeated: bool) -> None:
    with earlier.cursor() as cursor:
        cursor.execute(f"SELECT MAX(started_at) FROM {JOB_RUNS}")  # noqa: S608 (a name of ours)
        (last_run,) = cursor.fetchone()
    if last_run is not None:
        at = dt.datetime.fromisoformat(str(last_run)).replace(tzinfo=dt.UTC)
        if abs(timezone.now() - at) < databases.IN_USE_FOR:
            raise CarryOverError("A server or worker was at the earlier database just now; stop it, and try again.")
    if databases.is_in_use():
        raise CarryOverError("A server or worker is at the new database; stop it, then try again.")
    if not is_repeated and not databases.is_empty():
        raise CarryOverError("The new database holds people or incidents; name one that is empty.")
