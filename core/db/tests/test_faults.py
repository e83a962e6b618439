from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from django.test import SimpleTestCase

from core.db.faults import CommitUnknown, is_database_unavailable, is_lost, is_transient
from core.db.transactions import DatabaseBusy

OF_THE_DATABASE = (
    OperationalError(2002, "Can't connect to local server through socket"),
    OperationalError(2003, "Can't connect to MySQL server on '127.0.0.1' (timed out)"),
    OperationalError(2006, "Server has gone away"),
    OperationalError(2013, "Lost connection to MySQL server during query"),
    OperationalError(2055, "Lost connection to server at 'handshake: reading initial communication packet'"),
    OperationalError(1927, "Connection was killed"),
    OperationalError(1053, "Server shutdown in progress"),
    OperationalError(1040, "Too many connections"),
    OperationalError(1045, "Access denied for user"),
    OperationalError(1205, "Lock wait timeout exceeded"),
    OperationalError(1213, "Deadlock found"),
    OperationalError(1969, "Query execution was interrupted (max_statement_time exceeded)"),
    OperationalError(1290, "The MariaDB server is running with the --read-only option"),
    OperationalError(1836, "Running in read-only mode"),
    OperationalError(1792, "Cannot execute statement in a READ ONLY transaction"),
    OperationalError(1021, "Disk full"),
    OperationalError(1114, "The table 'alerts_alert' is full"),
    OperationalError(1030, "Got error 28 from storage engine"),
    OperationalError(1054, "Unknown column"),
    ProgrammingError(1146, "Table 'incidents.alerts_alert' doesn't exist"),
    InternalError("Packet sequence number wrong - got 1 expected 2"),
    InterfaceError(0, ""),
    InterfaceError("connection already closed"),
    OperationalError("database is locked"),
    OperationalError("disk I/O error"),
    OperationalError("database or disk is full"),
    OperationalError("attempt to write a readonly database"),
    OperationalError("unable to open database file"),
    OperationalError("no such table: alerts_alert"),
    DatabaseError("database disk image is malformed"),
    OperationalError(),
    CommitUnknown(2013, "Lost connection to MySQL server during query"),
    DatabaseBusy(),
)
OF_THE_ROWS = (
    OperationalError(1153, "Got a packet bigger than 'max_allowed_packet' bytes"),
    OperationalError(1366, "Incorrect string value"),
    OperationalError(1118, "Row size too large"),
    OperationalError(1390, "Prepared statement contains too many placeholders"),
    OperationalError("too many SQL variables"),
    OperationalError("Expression tree is too large (maximum depth 1000)"),
    DataError(1406, "Data too long for column"),
    DataError("string or blob too big"),
    IntegrityError(1062, "Duplicate entry"),
    ProgrammingError(1064, "You have an error in your SQL syntax"),
    DatabaseError("no"),
    ValueError("no"),
    OSError("no"),
)


class FaultTests(SimpleTestCase):
    def test_it_tells_the_databases_faults_from_those_of_what_is_written(self) -> None:
        for error in OF_THE_DATABASE:
            with self.subTest(error=error):
                self.assertTrue(is_database_unavailable(error))
        for fault in OF_THE_ROWS:
            with self.subTest(error=fault):
                self.assertFalse(is_database_unavailable(fault))

    def test_it_knows_a_connection_that_was_lost(self) -> None:
        lost = [error for error in (*OF_THE_DATABASE, *OF_THE_ROWS) if is_lost(error)]

        codes = {error.args[0] for error in lost if isinstance(error, OperationalError)}
        self.assertEqual(codes, {2002, 2003, 2006, 2013, 2055, 1927, 1053})
        self.assertEqual(
            [str(error) for error in lost if isinstance(error, InterfaceError)][1:], ["connection already closed"]
        )
        self.assertFalse(any(is_lost(error) for error in OF_THE_DATABASE if isinstance(error, CommitUnknown)))

    def test_it_knows_what_goes_away_by_trying_again(self) -> None:
        self.assertEqual([error.args[0] for error in OF_THE_DATABASE if is_transient(error)], [1205, 1213])
