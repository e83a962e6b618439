import os
import sqlite3
import tempfile
from pathlib import Path
from unittest import mock

from django.db import OperationalError
from django.test import SimpleTestCase, TestCase

from core.db.outages import Outages, Trouble
from core.models import JobRun
from core.server import database_checks
from core.server.condition import Unhealthy
from core.server.database_checks import IntegrityCheck, WriteCheck, check_database, fault_of


class OutagesTestCase(TestCase):
    def setUp(self):
        self.outages = Outages()
        self.enterContext(mock.patch.object(database_checks, "outages", self.outages))
        self.enterContext(mock.patch("core.db.outages.log"))


class DatabaseCheckTests(OutagesTestCase):
    def test_it_says_what_is_the_matter_and_when_that_is_over(self):
        error = OperationalError(2013, "Lost connection")
        with (
            mock.patch("django.db.backends.utils.CursorWrapper.execute", side_effect=error),
            self.assertRaisesMessage(Unhealthy, "The database does not answer."),
        ):
            check_database()
        during = self.outages.present()

        check_database()

        self.assertEqual((during, self.outages.present()), ([Trouble.UNREACHABLE], []))


class WriteCheckTests(OutagesTestCase):
    def test_it_writes_now_and_then(self):
        check = WriteCheck()

        with mock.patch.object(database_checks, "_write", wraps=database_checks._write) as write:
            said = [check(), check()]

        self.assertEqual((said, write.call_count), (["ok", "ok"], 1))
        self.assertEqual(JobRun.objects.get().name, database_checks.WRITE_CHECK)

    def test_it_says_why_nothing_can_be_written(self):
        for error, sentence in (
            (OperationalError("attempt to write a readonly database"), "it is read-only"),
            (OperationalError(1290, "--read-only"), "it is read-only"),
            (OperationalError("database or disk is full"), "its disk is full"),
            (OperationalError("database is locked"), "The database is busy"),
        ):
            with (
                self.subTest(error=error),
                mock.patch.object(database_checks, "_write", side_effect=error),
                self.assertRaisesMessage(Unhealthy, sentence),
            ):
                WriteCheck()()

    def test_it_fails_before_the_disk_is_quite_full(self):
        nearly = mock.Mock(free=1_000_000)
        with (
            mock.patch.object(database_checks, "sqlite_file", return_value=Path("/data/db.sqlite3")),
            mock.patch.object(database_checks.shutil, "disk_usage", return_value=nearly),
            self.assertRaisesMessage(Unhealthy, "The disk of the database is full: 1,000,000 bytes are left."),
        ):
            WriteCheck()()

    def test_it_believes_who_found_no_room_though_a_small_row_finds_some(self):
        check = WriteCheck()
        check()
        self.outages.note(OperationalError(1114, "The table is full"))

        with mock.patch.object(database_checks, "sqlite_file", return_value=None):
            self.assertRaisesMessage(Unhealthy, "its disk is full", check)


class IntegrityCheckTests(OutagesTestCase):
    def setUp(self):
        super().setUp()
        self.file = Path(self.enterContext(tempfile.TemporaryDirectory())) / "db.sqlite3"
        with sqlite3.connect(self.file) as opened:
            opened.execute("CREATE TABLE line (text)")
            opened.executemany("INSERT INTO line VALUES (?)", [("x" * 500,) for _ in range(200)])
        opened.close()
        self.enterContext(mock.patch.object(database_checks, "sqlite_file", return_value=self.file))

    def damage(self):
        with self.file.open("r+b") as file:
            file.seek(3 * 4096)
            file.write(os.urandom(4096))

    def test_it_finds_a_damaged_page(self):
        check = IntegrityCheck()
        check.look(self.file)
        before = check()
        self.damage()
        check.look(self.file)

        self.assertTrue(before.startswith("intact"), before)
        self.assertRaisesMessage(Unhealthy, "The database's file is damaged; restore a backup", check)
        self.assertEqual(self.outages.present(), [Trouble.CORRUPT])

    def test_it_is_well_again_once_the_file_is(self):
        check, whole = IntegrityCheck(), self.file.read_bytes()
        self.damage()
        check.look(self.file)
        self.file.write_bytes(whole)
        check.look(self.file)

        self.assertTrue(check().startswith("intact"))
        self.assertEqual(self.outages.present(), [])

    def test_it_does_not_call_damaged_what_cannot_be_opened(self):
        check = IntegrityCheck()
        check.look(self.file.parent / "absent.sqlite3")

        self.assertRaisesMessage(Unhealthy, "The database's file cannot be read (unable to open database file).", check)

    def test_it_looks_from_time_to_time_and_no_more_than_its_share(self):
        check = IntegrityCheck()
        with mock.patch.object(database_checks.threading, "Thread") as thread:
            with mock.patch.object(database_checks, "BYTES_A_SECOND", 10**12):
                check()
            check()
        self.assertEqual(thread.call_count, 1)
        with mock.patch.object(database_checks.time, "monotonic", side_effect=[1000.0, 1020.0]):
            check.look(self.file)

        self.assertEqual(check._next, 1020.0 + 20 * database_checks.LOOK_SHARE)

    def test_it_does_not_look_at_a_large_file_while_the_first_callers_wait(self):
        check = IntegrityCheck()
        with (
            mock.patch.object(database_checks, "BYTES_A_SECOND", 1),
            mock.patch.object(database_checks.threading, "Thread") as thread,
            mock.patch.object(database_checks.time, "monotonic", side_effect=[1000.0, 1059.0, 1061.0]),
            mock.patch.object(self.outages, "present", return_value=[]),
        ):
            said = [check() for _call in range(3)]

        self.assertEqual((said, thread.call_count), (["not checked yet"] * 3, 1))

    def test_it_believes_who_met_a_damaged_page(self):
        self.outages.note(OperationalError(1712, "Index incident_open is corrupted"))

        with mock.patch.object(database_checks, "sqlite_file", return_value=None):
            self.assertRaisesMessage(Unhealthy, "The database's files are damaged.", IntegrityCheck())


class FaultTests(SimpleTestCase):
    def test_it_leaves_a_locked_file_for_later(self):
        with mock.patch.object(sqlite3, "connect", side_effect=sqlite3.OperationalError("database is locked")):
            self.assertEqual(fault_of(Path("db.sqlite3")), "")

    def test_it_sees_a_file_that_is_none_of_sqlite(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"no database" * 500)
            file.flush()

            self.assertEqual(fault_of(Path(file.name)), "file is not a database")
