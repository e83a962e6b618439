"""Run a unit of work in a transaction, with retries."""

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
LOST_ATTEMPTS = 3
LOST_SECONDS = 10.0  # since the first attempt
SQLITE_SECONDS = 5.0  # default wait
TURNS = 2  # in busy timeouts

# SQLite's words
_NO_FILE = {
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "attempt to write a readonly database"),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "database or disk is full"),
}
_turn_of_process = threading.Lock()
_of_thread = threading.local()


class DatabaseBusy(Busy, OperationalError):
    def __init__(self) -> None:
        super().__init__("Too many others are writing at this moment; try again shortly.", code="database_busy")


def unit_of_work(function: Callable[P, R]) -> Callable[P, R]:
    """Run in a transaction, retrying the outermost after deadlocks and lost connections.

    Nested, it is a savepoint. Nothing runs twice: a lost COMMIT is settled or raises CommitUnknown. Raises
    DatabaseBusy.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic(savepoint=not getattr(_of_thread, "is_one_piece", False)):
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


@contextlib.contextmanager
def in_one_piece() -> Iterator[None]:
    """Spare the savepoints of nested units: the caller undoes the transaction when any of them fails."""
    outer, _of_thread.is_one_piece = getattr(_of_thread, "is_one_piece", False), True
    try:
        yield
    finally:
        _of_thread.is_one_piece = outer


class Outcome(StrEnum):
    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown"  # after CommitUnknown


def when_settled(tell: Callable[[Outcome], object]) -> None:
    """Call `tell` once with the transaction's outcome; at once outside of one.

    Delete files after ROLLED_BACK only; a dying process calls nobody. Django drops commit callbacks at rollbacks:
    their end is the signal.
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
    """Queue for SQLite's single writer. Raises DatabaseBusy.

    SQLite's waiters poll in no order; a lock file hands over at once and dies with its holder.
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
        with _opened(Path(f"{file}-turn")) as line:
            try:
                fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _wait_for(line, deadline)
            _of_thread.has_turn = True
            yield
    finally:
        _of_thread.has_turn = False
        _turn_of_process.release()


@contextlib.contextmanager
def alone_at(task: str) -> Iterator[bool]:
    """Yield whether nobody else does this task; always True off SQLite."""
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
    name = str(connection.settings_dict["NAME"])
    return None if connection.vendor != "sqlite" or ":memory:" in name or "mode=memory" in name else Path(name)


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("a")
    except OSError as error:  # then the database cannot be written either
        raise OperationalError(_NO_FILE.get(error.errno or 0, f"unable to open {path.name}: {error}")) from error


def _wait_for(line: IO[str], deadline: float) -> None:
    """Wait in a thread: `flock` has no deadline."""
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
        line.close()  # nobody waits


def _raise_busy(error: Exception) -> None:
    if is_transient(error) or (connection.vendor == "sqlite" and "is locked" in str(error)):
        raise DatabaseBusy from error
