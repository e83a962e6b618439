"""One transaction for one piece of work, tried again where the database asked for it."""

import contextlib
import errno
import fcntl
import functools
import random
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from enum import StrEnum
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction

from core.db.faults import CommitUnknown, is_database_unavailable, is_lost, is_transient
from core.errors import Busy

__all__ = [
    "CommitUnknown",
    "DatabaseBusy",
    "Outcome",
    "alone_at",
    "is_database_unavailable",
    "is_lost",
    "is_transient",
    "sqlite_file",
    "sqlite_write_lock",
    "unit_of_work",
    "when_settled",
]

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 6
LOST_ATTEMPTS = 3  # after connections that were lost: a database that stays away is waited for elsewhere
LOST_SECONDS = 10.0  # from the first attempt on, in which another one is made
SQLITE_SECONDS = 5.0  # for which it waits unless it is told otherwise
TURNS = 2  # the times that SQLite itself waits for a lock (its busy timeout) that we wait for our turn

# What SQLite would say.
_NO_FILE = {
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "attempt to write a readonly database"),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "database or disk is full"),
}
_turn_of_process = threading.Lock()
_of_thread = threading.local()  # `has_turn`: it need not wait for another


class DatabaseBusy(Busy, OperationalError):
    """Others wrote for as long as we were ready to wait. Still an OperationalError to those who look for one."""

    def __init__(self) -> None:
        super().__init__("Too many others are writing at this moment; try again shortly.", code="database_busy")


def unit_of_work(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in a transaction; the outermost one is tried again after a deadlock, or a lost connection.

    It is never done twice: of a COMMIT whose answer was lost, `core.db.mariadb` finds out what became of it. Where it
    cannot, it raises CommitUnknown, and nothing is tried again.
    Inside another transaction it is a savepoint of that one: a retry there would repeat half of the work. Raises
    DatabaseBusy when trying again did not help, or others did not let go of the database in time.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return function(*args, **kwargs)
        begun = time.monotonic()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with sqlite_write_lock(), transaction.atomic():
                    return function(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                if not _is_worth_another(error, attempt, begun):
                    _raise_busy(error)
                    raise
                time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 (spreading retries, not a secret)
        raise AssertionError("unreachable: the last attempt returns or raises")

    return wrapper


def _is_worth_another(error: Exception, attempt: int, begun: float) -> bool:
    if is_transient(error):
        return attempt < ATTEMPTS and time.monotonic() - begun < LOST_SECONDS
    return is_lost(error) and attempt < LOST_ATTEMPTS and time.monotonic() - begun < LOST_SECONDS


class Outcome(StrEnum):
    """What became of a transaction, or of the part of it that a savepoint held."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown"  # as after CommitUnknown: it may be there, and stays unknown until somebody looks


def when_settled(tell: Callable[[Outcome], object]) -> None:
    """Have `tell` called once with what became of the present transaction; at once where there is none.

    For what a transaction cannot take back by itself, such as files: delete them after ROLLED_BACK, and after nothing
    else. A savepoint that is rolled back counts as its transaction's end. Nobody is told when the process dies.

    Django calls nobody after a rollback, but it drops the callbacks that wait for the commit, whichever of the nested
    transactions failed, and however; the callback's end is the signal.
    """

    def committed() -> None:
        dropped.detach()
        tell(Outcome.COMMITTED)

    dropped = weakref.finalize(committed, _tell_dropped, tell)
    transaction.on_commit(committed)


def _tell_dropped(tell: Callable[[Outcome], object]) -> None:
    tell(Outcome.UNKNOWN if isinstance(sys.exception(), CommitUnknown) else Outcome.ROLLED_BACK)


@contextlib.contextmanager
def sqlite_write_lock() -> Iterator[None]:
    """Wait in line for SQLite, which lets one transaction write at a time; nothing to wait for elsewhere.

    SQLite itself has those who wait sleep and look again, for up to a tenth of a second at a time and in no order: half
    of the time nobody writes, and somebody waits for a second. A lock on a file beside the database hands over at once,
    between threads and processes alike, and is let go by the system when its holder dies. Raises DatabaseBusy where the
    turn does not come in time.
    """
    file = sqlite_file()
    if file is None or getattr(_of_thread, "has_turn", False):
        yield
        return
    patience = TURNS * float(connection.settings_dict.get("OPTIONS", {}).get("timeout", SQLITE_SECONDS))
    deadline = time.monotonic() + patience
    if not _turn_of_process.acquire(timeout=patience):
        raise DatabaseBusy
    try:
        with _locked(Path(f"{file}-turn"), deadline):
            _of_thread.has_turn = True
            yield
    finally:
        _of_thread.has_turn = False
        _turn_of_process.release()


@contextlib.contextmanager
def alone_at(task: str) -> Iterator[bool]:
    """Whether nobody else is at a task, for as long as this lasts. Always, unless the database is SQLite: elsewhere
    several share a task, and lock the rows that they take."""
    file = sqlite_file()
    if file is None:
        yield True
        return
    with _opened(Path(f"{file}-{task}")) as line:
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def sqlite_file() -> Path | None:
    """Where SQLite keeps the database; None where it is in memory, or on a server."""
    name = str(connection.settings_dict["NAME"])
    return None if connection.vendor != "sqlite" or ":memory:" in name or "mode=memory" in name else Path(name)


def _locked(path: Path, deadline: float) -> IO[str]:
    """The file, locked until it is closed. One thread of each process comes here, so that few wait."""
    line = _opened(path)
    try:
        fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _wait_for(line, deadline)
    return line


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("a")
    except OSError as error:  # where it cannot be made, the database beside it cannot be written either
        raise OperationalError(_NO_FILE.get(error.errno or 0, f"unable to open {path.name}: {error}")) from error


def _wait_for(line: IO[str], deadline: float) -> None:
    """Wait for the lock in a thread of its own: the system's call hands over at once, but knows no deadline."""
    turn: Future[None] = Future()
    threading.Thread(target=_take, args=(line, turn), name="turn", daemon=True).start()
    try:
        turn.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        if turn.cancel():
            raise DatabaseBusy from None
        turn.result()


def _take(line: IO[str], turn: "Future[None]") -> None:
    fcntl.flock(line, fcntl.LOCK_EX)
    if turn.set_running_or_notify_cancel():
        turn.set_result(None)
    else:
        line.close()  # nobody waits for it any more


def _raise_busy(error: Exception) -> None:
    """Raise DatabaseBusy in place of an error that says no more than that others hold the locks."""
    if is_transient(error) or (connection.vendor == "sqlite" and "is locked" in str(error)):
        raise DatabaseBusy from error
