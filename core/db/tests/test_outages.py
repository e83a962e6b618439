"""What errors say of the database as a whole, and how often that is told."""

import threading
from unittest import mock

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from django.db.transaction import TransactionManagementError
from django.test import SimpleTestCase

from core.db import outages
from core.db.faults import CommitUnknown
from core.db.outages import Outages, Trouble, trouble_of
from core.db.transactions import DatabaseBusy

TROUBLES = {
    Trouble.UNREACHABLE: [
        OperationalError(2003, "Can't connect to MySQL server on 'db' (timed out)"),
        OperationalError(2013, "Lost connection to MySQL server during query"),
        OperationalError(2006, "Server has gone away"),
        OperationalError(1040, "Too many connections"),
        OperationalError(1045, "Access denied for user"),
        InterfaceError(0, ""),
        InterfaceError("connection already closed"),
        CommitUnknown(2013, "Lost connection to MySQL server during query"),
        OperationalError("unable to open database file"),
        OperationalError("disk I/O error"),
    ],
    Trouble.READ_ONLY: [
        OperationalError(1290, "The MariaDB server is running with the --read-only option"),
        OperationalError(1792, "Cannot execute statement in a READ ONLY transaction."),
        OperationalError("attempt to write a readonly database"),
    ],
    Trouble.FULL: [
        OperationalError(1021, "Disk full (/tmp/#sql); waiting for someone to free some space"),
        OperationalError(1114, "The table 'incidents_incident' is full"),
        OperationalError(1030, 'Got error 28 "No space left on device" from storage engine Aria'),
        OperationalError("database or disk is full"),
    ],
    Trouble.CORRUPT: [
        OperationalError(1034, "Index for table is corrupt; try to repair it"),
        OperationalError(1030, 'Got error 176 "Read page with wrong checksum" from storage engine'),
        OperationalError(1712, "Index corrupted"),
        DatabaseError("database disk image is malformed"),
        DatabaseError("file is not a database"),
    ],
    Trouble.BUSY: [
        OperationalError(1205, "Lock wait timeout exceeded"),
        OperationalError(1213, "Deadlock found"),
        OperationalError("database is locked"),
        DatabaseBusy(),
    ],
    None: [
        IntegrityError(1062, "Duplicate entry"),
        DataError(1406, "Data too long for column"),
        ProgrammingError(1064, "You have an error in your SQL syntax"),
        OperationalError("no such table: incidents_incident"),
        OperationalError(1054, "Unknown column"),
        ValueError("the disk is full"),
        None,
    ],
}


class TroubleTests(SimpleTestCase):
    def test_it_tells_troubles_apart(self) -> None:
        for trouble, errors in TROUBLES.items():
            for error in errors:
                with self.subTest(error=error):
                    self.assertEqual(trouble_of(error), trouble)

    def test_it_looks_at_what_an_error_of_the_database_follows_from(self) -> None:
        broken = TransactionManagementError("An error occurred in the current transaction.")
        broken.__cause__ = OperationalError(2013, "Lost connection")
        ours = ValueError("a mistake of ours, while another was handled")
        ours.__context__ = OperationalError(2013, "Lost connection")

        self.assertEqual((trouble_of(broken), trouble_of(ours)), (Trouble.UNREACHABLE, None))


class OutagesTests(SimpleTestCase):
    def setUp(self) -> None:
        self.clock = self.enterContext(mock.patch.object(outages.time, "monotonic", return_value=1000.0))
        self.log = self.enterContext(mock.patch.object(outages, "log"))
        self.outages = Outages()
        self.outages.spares_many = True

    def connect(self, error: Exception | None = None) -> None:
        with self.outages.connecting(OperationalError):
            if error is not None:
                raise error

    def fail_to_connect(self) -> None:
        with self.assertRaises(OperationalError):
            self.connect(OperationalError(2003, "Can't connect"))

    def test_it_says_once_when_trouble_begins_and_once_when_it_is_over(self) -> None:
        for _request in range(25):
            self.outages.note(OperationalError("database or disk is full"))
        self.outages.over(Trouble.FULL)
        self.outages.over(Trouble.FULL)

        self.log.error.assert_called_once_with("database_trouble", trouble="full", error="database or disk is full")
        self.log.warning.assert_called_once_with("database_trouble_over", trouble="full", seconds=0.0, errors=25)

    def test_it_says_it_again_when_it_comes_again(self) -> None:
        full = OperationalError("database or disk is full")

        self.outages.note(full)
        self.outages.over(Trouble.FULL)
        self.outages.note(full)
        self.clock.return_value += outages.EPISODE_SECONDS + 1
        self.outages.note(full)

        self.assertEqual(self.log.error.call_count, 3)

    def test_it_forgets_trouble_that_nobody_has_any_more(self) -> None:
        self.outages.note(OperationalError(1114, "The table is full"))

        before = self.outages.present(within=30)
        self.clock.return_value += 31

        self.assertEqual((before, self.outages.present(within=30)), ([Trouble.FULL], []))

    def test_it_has_one_ask_for_a_server_that_is_away(self) -> None:
        asked = mock.Mock()
        self.fail_to_connect()
        self.fail_to_connect()

        with self.assertRaisesMessage(OperationalError, "a moment ago"), self.outages.connecting(OperationalError):
            asked()

        asked.assert_not_called()

    def test_it_asks_again_after_a_while_and_lets_all_in_once_it_is_back(self) -> None:
        self.fail_to_connect()
        self.fail_to_connect()
        self.clock.return_value += outages.ASK_EVERY_SECONDS + 1

        self.connect()
        self.connect()

        self.assertFalse(self.outages.is_unreachable)
        self.assertEqual(self.log.warning.call_args.args, ("database_trouble_over",))

    def test_it_keeps_others_from_asking_meanwhile(self) -> None:
        self.fail_to_connect()
        self.clock.return_value += outages.ASK_EVERY_SECONDS + 1

        with self.outages.connecting(OperationalError), self.assertRaisesMessage(OperationalError, "a moment ago"):
            self.connect()

    def test_it_has_others_wait_for_who_asks_first_for_they_may_all_be_served(self) -> None:
        self.outages.note(OperationalError(2013, "Lost connection to MySQL server during query"))
        served: list[bool] = []

        def connect() -> None:
            self.connect()
            served.append(True)

        with self.outages.connecting(OperationalError):
            other = threading.Thread(target=connect)
            other.start()
            other.join(0.05)
            self.assertEqual(served, [])
        other.join(10)

        self.assertEqual(served, [True])

    def test_it_spares_nobody_in_a_process_that_does_one_thing(self) -> None:
        self.outages.spares_many = False
        self.fail_to_connect()

        self.connect()

        self.assertFalse(self.outages.is_unreachable)
