import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock, skipUnless

from django.db import OperationalError, connection, connections, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from core import jobs
from core.db.faults import CommitUnknown
from core.db.mariadb.base import Session
from core.db.markers import marker_of
from core.db.transactions import Outcome, unit_of_work, when_settled
from core.models import TransactionMarker
from users.models import User
from users.tests.factories import make_user


def backend() -> Any:
    """What stands behind Django's proxy."""
    return connections["default"]


LOST = (2013, "Lost connection to MySQL server during query")


@skipUnless(connection.vendor == "mysql", "SQLite is in the process: no answer of it is ever lost")
class CommitTests(TransactionTestCase):
    """The connection is lost at COMMIT: after the server did it, or before."""

    def setUp(self) -> None:
        connection.ensure_connection()
        self.outcomes: list[Outcome] = []
        self.attempts = 0

    @contextmanager
    def lose_commits(self, times: int = 1, *, is_committed: bool) -> Iterator[None]:
        """Lose the answers of so many COMMITs, of this connection and those in its place."""
        left = [times]
        base = type(backend()).__mro__[1]
        commit = base._commit

        def lost(database: Any) -> None:
            if not left[0]:
                return commit(database)
            left[0] -= 1
            if is_committed:
                commit(database)
            database.connection.close()
            raise OperationalError(*LOST)

        with mock.patch.object(base, "_commit", lost), self.assertLogs(level="WARNING"):
            yield
        self.assertEqual(left, [0])

    @unit_of_work
    def write(self, name: str) -> str:
        self.attempts += 1
        when_settled(self.outcomes.append)
        make_user(name=name)
        return name

    def test_it_does_once_what_was_committed_without_an_answer(self) -> None:
        with self.lose_commits(is_committed=True):
            name = self.write("Alice")

        self.assertEqual((name, self.attempts, self.outcomes), ("Alice", 1, [Outcome.COMMITTED]))
        self.assertEqual(User.objects.count(), 1)

    def test_it_does_again_what_was_not_committed(self) -> None:
        with self.lose_commits(2, is_committed=False):
            self.write("Alice")

        self.assertEqual((self.attempts, User.objects.count()), (3, 1))
        self.assertEqual(self.outcomes, [Outcome.ROLLED_BACK, Outcome.ROLLED_BACK, Outcome.COMMITTED])

    def test_it_answers_for_transactions_that_others_begin(self) -> None:
        with self.lose_commits(is_committed=True), transaction.atomic():
            self.write("Alice")
        with self.lose_commits(is_committed=False), self.assertRaises(OperationalError) as caught, transaction.atomic():
            self.write("Ben")

        self.assertNotIsInstance(caught.exception, CommitUnknown)
        self.assertEqual([user.name for user in User.objects.all()], ["Alice"])
        self.assertEqual(self.outcomes, [Outcome.COMMITTED, Outcome.ROLLED_BACK])

    @mock.patch("core.db.mariadb.base.SETTLE_SECONDS", 0)
    def test_it_says_where_nobody_can_tell(self) -> None:
        database = backend()
        away = mock.patch.object(
            type(database), "get_new_connection", side_effect=database.Database.OperationalError(2003, "refused")
        )
        with self.lose_commits(is_committed=True), away, self.assertRaises(CommitUnknown):
            self.write("Alice")

        self.assertEqual((self.attempts, self.outcomes), (1, [Outcome.UNKNOWN]))
        self.assertEqual(User.objects.count(), 1)

    def test_it_needs_no_proof_of_what_only_reads(self) -> None:
        before = TransactionMarker.objects.count()

        with transaction.atomic():
            User.objects.select_for_update().first()
        read = TransactionMarker.objects.count()
        self.write("Alice")

        self.assertEqual((read, TransactionMarker.objects.count()), (before, before + 1))

    def test_it_goes_on_when_the_connection_is_lost_after_the_commit_or_before_the_first_statement(self) -> None:
        database = backend()
        for lost_at in (False, True):
            with self.subTest(autocommit=lost_at):
                base = type(database).__mro__[1]
                set_autocommit, done = base._set_autocommit, []

                def lose(database: Any, autocommit: bool) -> None:
                    if autocommit is lost_at and not done:  # noqa: B023
                        done.append(autocommit)  # noqa: B023
                        raise OperationalError(*LOST)
                    set_autocommit(database, autocommit)  # noqa: B023

                self.outcomes, self.attempts = [], 0
                with mock.patch.object(base, "_set_autocommit", lose):
                    self.write("Alice")

                self.assertEqual((done, self.attempts, self.outcomes), ([lost_at], 1, [Outcome.COMMITTED]))
        self.assertEqual(User.objects.count(), 2)

    def in_doubt(self, session: Session, *, seconds: float) -> tuple[bool | None, float]:
        """Whether a transaction that goes on is said to be committed (None: unknown), and how long that took."""
        lasting = backend().copy()
        try:
            lasting.set_autocommit(False)
            lasting.has_written = True
            marker = lasting._mark()
            number = session.number or lasting.connection.thread_id()
            begun = time.monotonic()
            with mock.patch.multiple("core.db.mariadb.base", LOCK_SECONDS=1, SETTLE_SECONDS=seconds):
                try:
                    found = backend()._is_committed(marker, OperationalError(*LOST), Session(number, session.since))
                except CommitUnknown:
                    found = None
            return found, time.monotonic() - begun
        finally:
            lasting.close()

    def test_it_waits_for_a_transaction_that_is_on_its_way(self) -> None:
        """The marker of one that has not come to its end is locked: who asks waits, instead of taking it for none."""
        with self.assertLogs(level="ERROR"):
            found, seconds = self.in_doubt(Session(2**31, time.monotonic()), seconds=0)

        self.assertIsNone(found)
        self.assertGreater(seconds, 0.5)

    def test_it_ends_the_session_that_a_lost_connection_left_behind(self) -> None:
        found, _seconds = self.in_doubt(Session(0, time.monotonic()), seconds=20)

        self.assertIs(found, False)

    def test_it_ends_no_session_of_a_server_that_was_started_since(self) -> None:
        with self.assertLogs(level="ERROR"):
            found, _seconds = self.in_doubt(Session(0, time.monotonic() - 10**9), seconds=1)

        self.assertIsNone(found)

    def test_it_tells_a_statement_that_is_too_long_from_a_lost_connection(self) -> None:
        database = backend()
        database._max_statement = 200_000
        try:
            for length, code in ((300_000, 1153), (100_000, 2013)):
                with (
                    self.subTest(length=length),
                    mock.patch(
                        "django.db.backends.mysql.base.CursorWrapper.execute",
                        side_effect=database.Database.OperationalError(*LOST),
                    ),
                    self.assertRaises(OperationalError) as caught,
                    connection.cursor() as cursor,
                ):
                    cursor.execute("INSERT INTO t VALUES (%s)", [b"x" * length])
                self.assertEqual(caught.exception.args[0], code)
        finally:
            database._max_statement = 0


class SettledTests(TransactionTestCase):
    def test_it_tells_what_became_of_a_transaction(self) -> None:
        outcomes: list[Outcome] = []

        with transaction.atomic():
            when_settled(outcomes.append)
            self.assertEqual(outcomes, [])
        when_settled(outcomes.append)
        with self.assertRaises(ValueError), transaction.atomic():
            when_settled(outcomes.append)
            raise ValueError

        self.assertEqual(outcomes, [Outcome.COMMITTED, Outcome.COMMITTED, Outcome.ROLLED_BACK])

    def test_it_tells_of_a_savepoint_at_once(self) -> None:
        outcomes: list[Outcome] = []

        with transaction.atomic():
            with self.assertRaises(ValueError), transaction.atomic():
                when_settled(outcomes.append)
                raise ValueError
            told = list(outcomes)

        self.assertEqual((told, outcomes), ([Outcome.ROLLED_BACK], [Outcome.ROLLED_BACK]))

    def test_it_knows_that_other_errors_of_a_commit_kept_nothing(self) -> None:
        for error, outcome in ((OperationalError("disk full"), "rolled back"), (CommitUnknown(*LOST), "unknown")):
            outcomes: list[Outcome] = []
            with (
                self.subTest(error=error),
                mock.patch.object(type(backend()), "_commit", side_effect=error),
                self.assertRaises(OperationalError),
                transaction.atomic(),
            ):
                when_settled(outcomes.append)
            self.assertEqual(outcomes, [outcome])


class PruneTests(TransactionTestCase):
    def test_it_forgets_markers_of_which_nobody_asks_any_more(self) -> None:
        now = timezone.now()
        for minutes in (9, 11):
            moment = (now - dt.timedelta(minutes=minutes)).timestamp()
            TransactionMarker.objects.create(pk=marker_of(moment) + "a" * 20)

        self.assertEqual(jobs.prune_markers(now), 1)
