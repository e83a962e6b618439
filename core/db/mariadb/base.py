"""Find out whether a COMMIT happened whose answer was lost.

A writing transaction inserts a marker before COMMIT. After a broken connection a new one looks for it: present means
committed; absent, the error is raised. CommitUnknown: nobody could be asked within SETTLE_SECONDS.
"""

import contextlib
import secrets
import time
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import Error
from django.db.backends.mysql import base

from core.db.faults import LOST_CODES, PACKET_TOO_LARGE, CommitUnknown, code_of, is_lost, is_transient
from core.db.mariadb.schema import SchemaEditor
from core.db.markers import TABLE, marker_of
from core.db.outages import outages

Database: Any = base.Database  # type: ignore[attr-defined]  # the driver, whichever there is
log = structlog.get_logger(__name__)

NO_SUCH_TABLE = 1146
LOCK_WAIT_TIMEOUT = 1205
SETTLE_SECONDS = 10.0  # a restarted database is back by then
ASK_EVERY_SECONDS = 0.25
LOCK_SECONDS = 2
READING = ("SELECT", "(SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET ", "SHOW", "EXPLAIN")
SHORT = 64 * 1024  # every server accepts this


class CursorWrapper(base.CursorWrapper):
    """Notices writes, and overlong statements."""

    def __init__(self, cursor: Any, database: "DatabaseWrapper") -> None:
        super().__init__(cursor)
        self.database = database

    def execute(self, query: str, args: Any = None) -> Any:
        if not query.startswith(READING):
            self.database.has_written = True
        try:
            return super().execute(query, args)
        except Database.OperationalError as error:
            self._blame(error, query, args)
            raise

    def executemany(self, query: str, args: Sequence[Any]) -> Any:
        self.database.has_written = True
        try:
            return super().executemany(query, args)
        except Database.OperationalError as error:
            self._blame(error, query, max(args, key=_length, default=()))
            raise

    def _blame(self, error: Exception, query: str, args: Any) -> None:
        """Raise the server's error for an overlong statement."""
        if code_of(error) not in LOST_CODES or (length := len(query) + _length(args)) <= SHORT:
            return
        if length > self.database.max_statement():
            text = f"A statement of {length:,} bytes is longer than 'max_allowed_packet'."
            raise Database.OperationalError(PACKET_TOO_LARGE, text) from error


@dataclass(frozen=True)
class Session:
    """The connection's number and monotonic start."""

    number: int
    since: float


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with settled commits and resumable migrations."""

    SchemaEditorClass = SchemaEditor
    resumes_migration = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_written = False
        self._max_statement = 0
        self._sessions: weakref.WeakKeyDictionary[Any, Session] = weakref.WeakKeyDictionary()

    def get_new_connection(self, conn_params: Any) -> Any:
        """Connect, as `core.db.outages` allows."""
        with outages.connecting(Database.OperationalError):
            connection = super().get_new_connection(conn_params)
        self._sessions[connection] = Session(connection.thread_id(), time.monotonic())
        return connection

    def is_usable(self) -> bool:
        return not (outages.spares_many and outages.is_unreachable) and super().is_usable()

    def create_cursor(self, name: str | None = None) -> Any:
        return CursorWrapper(self.connection.cursor(), self)

    def max_statement(self) -> int:
        """Return the longest accepted statement in bytes."""
        if not self._max_statement:
            with contextlib.suppress(Database.Error):
                self._max_statement = int(self._ask("SELECT @@max_allowed_packet")[0])
        return self._max_statement or 2**62

    def _commit(self) -> None:
        marker = self._mark() if self.has_written else None
        try:
            super()._commit()  # type: ignore[misc]  # the stubs know no private methods
        except Error as error:
            if is_transient(error):
                raise
            self._settle(marker, error)
        finally:
            self.has_written = False

    def _rollback(self) -> None:
        self.has_written = False
        super()._rollback()  # type: ignore[misc]

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        if not autocommit or self.connection is not None:
            super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
            return
        # Connecting now would hide how the transaction ended.
        self.autocommit = True
        if self.run_commit_hooks_on_set_autocommit_on:
            self.run_and_clear_commit_hooks()
            self.run_commit_hooks_on_set_autocommit_on = False

    def _set_autocommit(self, autocommit: bool) -> None:
        try:
            super()._set_autocommit(autocommit)  # type: ignore[misc]
        except Error as error:
            # outside a transaction nothing is lost
            if not is_lost(error) or (autocommit and not self.run_commit_hooks_on_set_autocommit_on):
                raise
            self._renew()
            if not autocommit:
                self.ensure_connection()
                super()._set_autocommit(False)  # type: ignore[misc]
        if not autocommit:
            self.has_written = False

    def _mark(self) -> str | None:
        marker = marker_of(time.time()) + secrets.token_hex(10)
        with self.wrap_database_errors, contextlib.closing(self.connection.cursor()) as cursor:
            try:
                cursor.execute(f"INSERT INTO {TABLE} (id) VALUES (%s)", [marker])  # noqa: S608 (our own name)
            except Database.ProgrammingError as error:
                if code_of(error) != NO_SUCH_TABLE:
                    raise
                return None
        return marker

    def _settle(self, marker: str | None, error: Error) -> None:
        """Raise the error or CommitUnknown unless committed."""
        session = self._sessions[self.connection]
        self._drop()
        if marker is not None:
            is_committed = self._is_committed(marker, error, session)
            log.warning("commit_answer_lost", is_committed=is_committed, error=str(error))
            if not is_committed:
                raise error
        self._renew()

    def _is_committed(self, marker: str, error: Error, session: "Session") -> bool:
        deadline = time.monotonic() + SETTLE_SECONDS
        query = f"SELECT 1 FROM {TABLE} WHERE id = %s LOCK IN SHARE MODE"  # noqa: S608 (our own name)
        while True:
            try:
                return self._ask(query, marker) is not None
            except Database.Error as failure:
                if time.monotonic() > deadline:
                    log.error("commit_unknown", error=str(error), failure=str(failure))
                    raise CommitUnknown(*error.args) from error
                if code_of(failure) == LOCK_WAIT_TIMEOUT:
                    self._end(session)
            time.sleep(ASK_EVERY_SECONDS)

    def _end(self, session: "Session") -> None:
        """Kill the lost session, which may hold locks or commit late."""
        with contextlib.suppress(Database.Error):
            uptime = float(self._ask("SHOW GLOBAL STATUS LIKE 'Uptime'")[1])
            # a restarted server reuses numbers
            if uptime > time.monotonic() - session.since:
                self._ask(f"KILL CONNECTION {session.number}")

    def _ask(self, query: str, *values: object) -> Any:
        connection = self.get_new_connection(self.get_connection_params())
        with contextlib.closing(connection), contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}")
            cursor.execute(query, values)
            return cursor.fetchone() if cursor.description else None

    def _renew(self) -> None:
        hooks, is_run = self.run_on_commit, self.run_commit_hooks_on_set_autocommit_on
        self.run_commit_hooks_on_set_autocommit_on = False
        self._drop()
        try:
            with contextlib.suppress(Error, Database.Error):
                self.connect()
        finally:
            self.run_on_commit, self.run_commit_hooks_on_set_autocommit_on = hooks, is_run

    def _drop(self) -> None:
        with contextlib.suppress(Database.Error, OSError):
            if self.connection is not None:
                self.connection.close()
        self.connection = None


def _length(values: Any) -> int:
    given: Iterable[Any] = values.values() if isinstance(values, dict) else values or ()
    return sum(len(value) for value in given if isinstance(value, (str, bytes, bytearray, memoryview)))
