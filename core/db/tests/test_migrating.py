"""Migrations that were interrupted, on databases that keep what was done until then."""

import io
from typing import Any
from unittest import mock, skipUnless

from django.core.management import call_command
from django.db import OperationalError, connection, connections, migrations, models
from django.db.migrations.state import ProjectState
from django.test import SimpleTestCase, TransactionTestCase

from core.db.mariadb import base
from core.db.mariadb.schema import is_done
from core.management.commands import migrate
from core.management.commands.migrate import Begun

KEPT = [
    migrations.CreateModel(
        "Shelf", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=9))]
    ),
    migrations.CreateModel(
        "Book",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("title", models.CharField(max_length=9, unique=True)),
            ("pages", models.PositiveIntegerField(default=1)),
            ("shelf", models.ForeignKey("toy.Shelf", models.CASCADE)),
        ],
        options={"indexes": [models.Index(fields=["pages"], name="toy_pages")]},
    ),
]
CHANGED = [
    migrations.AddField("book", "owner", models.CharField(max_length=9, default="")),
    migrations.AddField(
        "book", "lent_from", models.ForeignKey("toy.Shelf", models.CASCADE, null=True, related_name="+")
    ),
    migrations.AlterField("book", "title", models.CharField(max_length=20)),
    migrations.AddIndex("book", models.Index(fields=["owner", "pages"], name="toy_owner")),
    migrations.RemoveIndex("book", "toy_pages"),
    migrations.AddConstraint("book", models.UniqueConstraint(fields=["owner", "title"], name="toy_once")),
    migrations.AddConstraint("book", models.CheckConstraint(condition=models.Q(pages__lt=9), name="toy_few")),
    migrations.AlterUniqueTogether("book", {("pages", "title")}),
]
MOVED = [
    migrations.RenameIndex("book", "toy_owner_of", "toy_owner"),
    migrations.RemoveConstraint("book", "toy_once"),
    migrations.RemoveConstraint("book", "toy_few"),
    migrations.AlterUniqueTogether("book", set()),
    migrations.RenameField("book", "owner", "reader"),
    migrations.AlterField("book", "reader", models.CharField(max_length=30, null=True)),
    migrations.RemoveField("book", "lent_from"),
    migrations.CreateModel("Gone", [("id", models.BigAutoField(primary_key=True))]),
    migrations.DeleteModel("Gone"),
]
RENAMED = [migrations.RenameModel("Book", "Volume")]  # by itself: before it, nothing finds the new name

STEPS = (KEPT, CHANGED, MOVED, RENAMED)


class Killed(BaseException):
    """The process is gone: nothing after this statement is done."""


@skipUnless(connection.vendor == "mysql", "SQLite rolls an interrupted migration back")
class ResumeTests(TransactionTestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.addCleanup(self.drop)
        self.addCleanup(setattr, connections["default"], "resumes_migration", False)
        self.seen: set[str] = set()

    def drop(self) -> None:
        with connection.cursor() as cursor:
            for table in ("toy_book", "toy_volume", "toy_gone", "toy_shelf"):
                cursor.execute(f"DROP TABLE IF EXISTS {table}")

    def apply(self, state: ProjectState, operations: list[Any]) -> ProjectState:
        migration = migrations.Migration("0001", "toy")
        migration.operations = operations
        with connection.schema_editor(atomic=migration.atomic) as editor:
            return migration.apply(state, editor)

    def apply_killed_after_each_statement(self, state: ProjectState, operations: list[Any]) -> ProjectState:
        while True:
            try:
                with mock.patch.object(base.CursorWrapper, "execute", self.die_after(base.CursorWrapper.execute)):
                    return self.apply(state.clone(), operations)
            except Killed:
                connections["default"].resumes_migration = True

    def die_after(self, execute: Any) -> Any:
        def execute_once(cursor: Any, query: str, args: Any = None) -> Any:
            result = execute(cursor, query, args)
            if query.startswith(("CREATE", "ALTER", "DROP", "RENAME")) and query not in self.seen:
                self.seen.add(query)
                raise Killed
            return result

        return execute_once

    def tables(self) -> dict[str, list[str]]:
        with connection.cursor() as cursor:
            names = [name for name in connection.introspection.table_names(cursor) if name.startswith("toy_")]
            found = {}
            for name in names:
                cursor.execute(f"SHOW CREATE TABLE {name}")
                found[name] = sorted(line.strip(" ,") for line in cursor.fetchone()[1].splitlines())
            return found

    def test_it_goes_on_where_it_was_killed_at_every_statement(self) -> None:
        plain = resumed = ProjectState()
        expected = []
        for operations in STEPS:
            plain = self.apply(plain, operations)
            expected.append(self.tables())
        self.drop()

        found = []
        for operations in STEPS:
            connections["default"].resumes_migration = False
            resumed = self.apply_killed_after_each_statement(resumed, operations)
            found.append(self.tables())

        self.assertEqual(found, expected)
        self.assertGreater(len(self.seen), 25)

    def test_it_passes_over_nothing_in_a_migration_that_was_not_begun(self) -> None:
        self.apply(ProjectState(), KEPT)

        with self.assertRaises(OperationalError) as caught:
            self.apply(ProjectState(), KEPT)

        self.assertEqual(caught.exception.args[0], 1050)


@skipUnless(connection.vendor == "mysql", "SQLite rolls an interrupted migration back")
class BegunTests(TransactionTestCase):
    def tearDown(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {migrate.TABLE}")

    def test_it_knows_a_migration_that_was_begun_and_did_not_end(self) -> None:
        database, migration = connections["default"], migrations.Migration("0001", "toy")

        begun = []
        for _ in range(2):
            Begun(database).start(migration)
            begun.append(database.resumes_migration)
        Begun(database).finish(migration)
        Begun(database).start(migration)
        begun.append(database.resumes_migration)
        database.resumes_migration = False

        self.assertEqual(begun, [False, True, False])

    def test_it_forgets_what_was_recorded_as_done(self) -> None:
        database, done = connections["default"], migrations.Migration("0001_initial", "users")
        Begun(database).start(done)

        self.assertEqual(Begun(database)._noted(), [])

    def test_it_migrates_one_at_a_time(self) -> None:
        other = connections["default"].copy()  # type: ignore[no-untyped-call]
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT GET_LOCK(LEFT(CONCAT('migrate ', DATABASE()), 64), 0)")
                with mock.patch.object(migrate, "WAIT_SECONDS", 0), self.assertRaises(migrate.CommandError):
                    call_command("migrate", stdout=io.StringIO())
        finally:
            other.close()
        call_command("migrate", verbosity=0)


class DoneTests(SimpleTestCase):
    def test_it_knows_what_says_that_it_was_done(self) -> None:
        exists = OperationalError(1061, "Duplicate key name")
        foreign = OperationalError(1005, 'Can\'t create table `a`.`b` (errno: 121 "Duplicate key on write or update")')
        wrong = OperationalError(
            1005, 'Can\'t create table `a`.`b` (errno: 150 "Foreign key constraint is incorrectly formed")'
        )

        self.assertTrue(is_done(exists, "CREATE INDEX a ON b (c)") and is_done(foreign, "ALTER TABLE b ADD CONSTRAINT"))
        self.assertFalse(is_done(wrong, "ALTER TABLE b ADD CONSTRAINT") or is_done(exists, "UPDATE b SET c = 1"))
        self.assertFalse(is_done(OperationalError(1064, "You have an error"), "CREATE INDEX"))
