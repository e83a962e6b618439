"""`manage.py migrate`, resumable: see `core.db.mariadb.schema`."""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DatabaseError, InterfaceError, connections
from django.db.migrations.recorder import MigrationRecorder

TABLE = "django_migrations_begun"
WAIT_SECONDS = 600  # for another `migrate`


class Command(migrate.Command):
    """Django's, recording each migration begun."""

    begun: "Begun | None" = None

    def handle(self, *args: Any, **options: Any) -> str | None:
        connection = connections[options["database"]]
        if connection.vendor != "mysql" or options["check_unapplied"] or options["plan"]:
            return super().handle(*args, **options)
        with _alone(connection):
            self.begun = Begun(connection)
            try:
                return super().handle(*args, **options)
            finally:
                connection.resumes_migration = False

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if self.begun is not None and migration is not None and not fake:
            if action == "apply_start":
                self.begun.start(migration)
            elif action == "apply_success":
                self.begun.finish(migration)
        super().migration_progress_callback(action, migration, fake)


class Begun:
    """Unfinished migrations, in a table older than the first."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._run(f"CREATE TABLE IF NOT EXISTS {TABLE} (app VARCHAR(100), name VARCHAR(150), PRIMARY KEY (app, name))")
        applied = MigrationRecorder(connection).applied_migrations()
        for app, name in self._noted():
            if (app, name) in applied:
                self._delete_mark(app, name)  # it broke off just before this

    def start(self, migration: Any) -> None:
        """Record it, and skip what it did before."""
        statement = f"INSERT IGNORE INTO {TABLE} (app, name) VALUES (%s, %s)"  # noqa: S608 (our own name)
        found = self._run(statement, migration.app_label, migration.name)
        self.connection.resumes_migration = found == 0

    def finish(self, migration: Any) -> None:
        """Forget it, now that Django recorded it."""
        self.connection.resumes_migration = False
        self._delete_mark(migration.app_label, migration.name)

    def _delete_mark(self, app: str, name: str) -> None:
        self._run(f"DELETE FROM {TABLE} WHERE app = %s AND name = %s", app, name)  # noqa: S608

    def _noted(self) -> list[tuple[str, str]]:
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT app, name FROM {TABLE}")  # noqa: S608
            return list(cursor.fetchall())

    def _run(self, statement: str, *values: str) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return int(cursor.rowcount)


@contextlib.contextmanager
def _alone(connection: Any) -> Iterator[None]:
    """Wait for another `migrate`; the server releases the lock with the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(LEFT(CONCAT('migrate ', DATABASE()), 64), %s)", [WAIT_SECONDS])
        if cursor.fetchone() != (1,):
            raise CommandError("Another migration has been running on this database for ten minutes; check that one.")
    try:
        yield
    finally:
        if connection.connection is not None:
            with contextlib.suppress(DatabaseError, InterfaceError), connection.cursor() as cursor:
                cursor.execute("SELECT RELEASE_LOCK(LEFT(CONCAT('migrate ', DATABASE()), 64))")
