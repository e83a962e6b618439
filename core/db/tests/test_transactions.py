import fcntl
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock, skipUnless

from django.db import InterfaceError, OperationalError, connection, transaction
from django.test import SimpleTestCase, TransactionTestCase

from core.db import transactions
from core.db.transactions import ATTEMPTS, LOST_ATTEMPTS, CommitUnknown, DatabaseBusy, is_transient, unit_of_work
from users.models import User
from users.tests.factories import make_user

DEADLOCK = OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
LOCK_WAIT = OperationalError(1205, "Lock wait timeout exceeded; try restarting transaction")
GONE = OperationalError(2006, "Server has gone away")


class Work:
    """Writes a row, then fails in the given ways, one for each attempt."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.attempts = 0
        self.committed: list[int] = []

    def __call__(self, name: str) -> str:
        self.attempts += 1
        attempt = self.attempts
        make_user(name=name)
        transaction.on_commit(lambda: self.committed.append(attempt))
        if self.failures:
            raise self.failures.pop(0)
        return f"made {name}"


@mock.patch("core.db.transactions.time.sleep")
class UnitOfWorkTests(TransactionTestCase):
    def test_it_tries_again_after_a_deadlock_or_a_lock_wait(self, sleep: mock.Mock) -> None:
        for failures in ([], [DEADLOCK], [LOCK_WAIT, DEADLOCK], [DEADLOCK] * (ATTEMPTS - 1)):
            with self.subTest(failures=failures):
                User.objects.all().delete()
                work = Work(*failures)

                self.assertEqual(unit_of_work(work)("Alice"), "made Alice")

                # What the failed attempts wrote is gone, and so is what they left for after the commit.
                self.assertEqual(User.objects.count(), 1)
                self.assertEqual(work.committed, [len(failures) + 1])

    def test_it_gives_up_in_the_end(self, sleep: mock.Mock) -> None:
        work = Work(*[DEADLOCK] * (ATTEMPTS + 1))

        with self.assertRaises(DatabaseBusy):
            unit_of_work(work)("Alice")

        self.assertEqual((work.attempts, User.objects.count()), (ATTEMPTS, 0))
        self.assertEqual(sleep.call_count, ATTEMPTS - 1)

    def test_it_does_not_repeat_other_failures(self, sleep: mock.Mock) -> None:
        unknown = CommitUnknown(2013, "Lost connection to MySQL server during query")
        for failure in (unknown, OperationalError(), OperationalError("database is locked"), ValueError("no")):
            with self.subTest(failure=failure):
                work = Work(failure)

                with self.assertRaises(type(failure)):
                    unit_of_work(work)("Alice")

                self.assertEqual((work.attempts, User.objects.count()), (1, 0))

    def test_it_tries_again_on_another_connection_where_one_was_lost(self, sleep: mock.Mock) -> None:
        for failure in (GONE, OperationalError(2013, "Lost connection"), InterfaceError(0, "")):
            for times, count in ((1, 1), (LOST_ATTEMPTS, 0)):
                with self.subTest(failure=failure, times=times):
                    User.objects.all().delete()
                    work = Work(*[failure] * times)

                    if count:
                        unit_of_work(work)("Alice")
                    else:
                        self.assertRaises(type(failure), unit_of_work(work), "Alice")

                    self.assertEqual((work.attempts, User.objects.count()), (times + count, count))

    def test_it_says_that_the_database_is_busy(self, sleep: mock.Mock) -> None:
        database = SimpleNamespace(vendor="sqlite")

        with mock.patch.object(transactions, "connection", database):
            for failure, is_busy in ((OperationalError("database is locked"), True), (GONE, False)):
                with self.subTest(failure=failure):
                    try:
                        transactions._raise_busy(failure)
                        raised = False
                    except DatabaseBusy as error:
                        raised = error.status == 503

                    self.assertEqual(raised, is_busy)

    def test_it_leaves_trying_again_to_the_outermost(self, sleep: mock.Mock) -> None:
        work = Work(DEADLOCK)
        outer = mock.Mock(side_effect=lambda: unit_of_work(work)("Alice"))

        unit_of_work(outer)()

        self.assertEqual((outer.call_count, work.attempts, User.objects.count()), (2, 2, 1))

    def test_it_does_not_try_again_within_somebody_elses_transaction(self, sleep: mock.Mock) -> None:
        work = Work(DEADLOCK)

        with self.assertRaises(OperationalError), transaction.atomic():
            unit_of_work(work)("Alice")

        self.assertEqual(work.attempts, 1)

    def test_it_undoes_a_failed_part_of_somebody_elses_transaction(self, sleep: mock.Mock) -> None:
        with transaction.atomic():
            make_user(name="Kept")
            with self.assertRaises(ValueError):
                unit_of_work(Work(ValueError("no")))("Undone")

        self.assertEqual([user.name for user in User.objects.all()], ["Kept"])

    def test_it_keeps_the_functions_name(self, sleep: mock.Mock) -> None:
        def named() -> None:
            """What it does."""

        self.assertEqual((unit_of_work(named).__name__, unit_of_work(named).__doc__), ("named", "What it does."))


class TransientTests(TransactionTestCase):
    def test_it_knows_what_may_go_away(self) -> None:
        self.assertTrue(is_transient(DEADLOCK) and is_transient(LOCK_WAIT))
        self.assertFalse(is_transient(GONE) or is_transient(OperationalError()))

    @skipUnless(connection.vendor == "mysql", "SQLite has one writer at a time, and so no deadlock")
    def test_it_survives_a_real_deadlock(self) -> None:
        pks = [make_user(name="One").pk, make_user(name="Two").pk]
        first_lock_held = threading.Barrier(2)
        attempts: list[int] = []

        @unit_of_work
        def cross(order: list[int]) -> None:
            attempts.append(1)
            User.objects.select_for_update().get(pk=order[0])
            if len(attempts) <= 2:
                first_lock_held.wait(timeout=10)
            user = User.objects.select_for_update().get(pk=order[1])
            user.name += "!"
            user.save(update_fields=["name"])

        def run(order: list[int], failures: list[Any]) -> None:
            try:
                cross(order)
            except Exception as error:  # noqa: BLE001 (a thread tells its failure to the test)
                failures.append(error)
            finally:
                connection.close()

        failures: list[Any] = []
        threads = [threading.Thread(target=run, args=(order, failures)) for order in (pks, pks[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)

        self.assertEqual(failures, [])
        self.assertEqual(sorted(user.name for user in User.objects.all()), ["One!", "Two!"])
        self.assertEqual(len(attempts), 3)


class TurnTests(SimpleTestCase):
    """Writers to SQLite wait in line at a lock on a file."""

    def database(self, vendor: str, folder: str, name: str = "db.sqlite3") -> Any:
        path = name if ":memory:" in name else str(Path(folder) / name)
        database = SimpleNamespace(vendor=vendor, settings_dict={"NAME": path})
        return mock.patch.object(transactions, "connection", database)

    def run_in_thread(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(5)

    def test_it_lets_one_write_at_a_time(self) -> None:
        inside, most = 0, 0
        count = threading.Lock()

        def write() -> None:
            nonlocal inside, most
            for _ in range(20):
                with transactions.sqlite_write_lock():
                    with count:
                        inside += 1
                        most = max(most, inside)
                    threading.Event().wait(0.0005)
                    with count:
                        inside -= 1

        with tempfile.TemporaryDirectory() as folder, self.database("sqlite", folder):
            writers = [threading.Thread(target=write) for _ in range(4)]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()

        self.assertEqual((inside, most), (0, 1))

    def test_it_waits_for_no_other_turn_within_its_own(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.database("sqlite", folder):
            with transactions.sqlite_write_lock():
                with transactions.sqlite_write_lock():
                    pass
                with (Path(folder) / "db.sqlite3-turn").open("a") as other:
                    self.assertRaises(BlockingIOError, fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with transactions.sqlite_write_lock():
                pass

    def test_it_gives_the_turn_back_when_the_work_fails(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.database("sqlite", folder):
            with self.assertRaises(ValueError), transactions.sqlite_write_lock():
                raise ValueError

            taken = threading.Thread(target=lambda: transactions.sqlite_write_lock().__enter__(), daemon=True)
            taken.start()
            taken.join(5)

        self.assertFalse(taken.is_alive())

    @mock.patch.object(transactions, "TURNS", 0.005)
    def test_it_gives_up_where_the_turn_does_not_come(self) -> None:
        refused: list[bool] = []

        def write() -> None:
            try:
                with transactions.sqlite_write_lock():
                    refused.append(False)
            except DatabaseBusy:
                refused.append(True)

        with tempfile.TemporaryDirectory() as folder, self.database("sqlite", folder):
            with transactions.sqlite_write_lock():
                self.run_in_thread(write)
            self.run_in_thread(write)

        self.assertEqual(refused, [True, False])

    @mock.patch.object(transactions, "TURNS", 0.005)
    def test_it_gives_up_where_another_process_keeps_the_turn(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.database("sqlite", folder):
            with (Path(folder) / "db.sqlite3-turn").open("a") as other:
                fcntl.flock(other, fcntl.LOCK_EX)
                with self.assertRaises(DatabaseBusy), transactions.sqlite_write_lock():
                    pass
            # Who gave up does not keep the turn when it comes after all.
            [thread.join(5) for thread in threading.enumerate() if thread.name == "turn"]
            with transactions.sqlite_write_lock(), (Path(folder) / "db.sqlite3-turn").open("a") as other:
                self.assertRaises(BlockingIOError, fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_it_takes_over_from_another_process(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.database("sqlite", folder):
            other = (Path(folder) / "db.sqlite3-turn").open("a")
            fcntl.flock(other, fcntl.LOCK_EX)
            release = threading.Timer(0.1, other.close)
            release.start()
            with transactions.sqlite_write_lock():
                is_released = other.closed

        self.assertTrue(is_released)

    def test_it_makes_nobody_wait_elsewhere(self) -> None:
        for vendor, name in (("mysql", "incidents"), ("sqlite", ":memory:")):
            with (
                self.subTest(vendor),
                tempfile.TemporaryDirectory() as folder,
                self.database(vendor, folder, name),
                transactions.sqlite_write_lock(),
            ):
                self.assertEqual(list(Path(folder).iterdir()), [])
