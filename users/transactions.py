"""One transaction for one piece of work, tried again where the database asked for it."""

import contextlib
import fcntl
import functools
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

from incident_response.exceptions import Busy

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 6
# MySQL: 1213 deadlock found, 1205 lock wait timeout. Both rolled the work back, and both go away by trying again.
RETRIED_CODES = frozenset({1205, 1213})
# MySQL's errors that what is written may be to blame for: a statement longer than it takes (it may say so, or just end
# the connection), and characters that it does not know. And SQLite's word for the first.
BLAMED_CODES = frozenset({1153, 1366, 2006, 2013})
TOO_LONG = "too many SQL variables"
TURN_SECONDS = 20.0  # as long as SQLite itself waits for a lock (its busy timeout)

_turn_of_process = threading.Lock()
_of_thread = threading.local()  # `has_turn`: it need not wait for another


class DatabaseBusy(Busy, OperationalError):
    """Others wrote for as long as we were ready to wait. Still an OperationalError to those who look for one."""

    def __init__(self) -> None:
        super().__init__("Too many others are writing at this moment; try again shortly.", code="database_busy")


def unit_of_work(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in a transaction; the outermost one is tried again after a deadlock.

    Inside another transaction it is a savepoint of that one: a retry there would repeat half of the work. Raises
    DatabaseBusy when trying again did not help, or others did not let go of the database in time.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with turn_to_write(), transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if attempt == ATTEMPTS or not is_transient(error):
                    _raise_busy(error)
                    raise
                time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 (spreading retries, not a secret)
        raise AssertionError("unreachable: the last attempt returns or raises")

    return wrapper


@contextlib.contextmanager
def turn_to_write() -> Iterator[None]:
    """Wait in line for SQLite, which lets one transaction write at a time; nothing to wait for elsewhere.

    SQLite itself has those who wait sleep and look again, for up to a tenth of a second at a time and in no order: half
    of the time nobody writes, and somebody waits for a second. A lock on a file beside the database hands over at once,
    between threads and processes alike, and is let go by the system when its holder dies. Raises DatabaseBusy where the
    turn does not come within TURN_SECONDS.
    """
    name = str(connection.settings_dict["NAME"])
    is_needed = connection.vendor == "sqlite" and not (":memory:" in name or "mode=memory" in name)
    if not is_needed or getattr(_of_thread, "has_turn", False):
        yield
        return
    deadline = time.monotonic() + TURN_SECONDS
    if not _turn_of_process.acquire(timeout=TURN_SECONDS):
        raise DatabaseBusy
    try:
        with _locked(Path(f"{name}-turn"), deadline):
            _of_thread.has_turn = True
            yield
    finally:
        _of_thread.has_turn = False
        _turn_of_process.release()


def _locked(path: Path, deadline: float) -> IO[str]:
    """The file, locked until it is closed. One thread of each process comes here, so that few wait."""
    line = path.open("a")
    try:
        fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _wait_for(line, deadline)
    return line


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


def is_transient(error: OperationalError) -> bool:
    """Whether the database itself says that the same work may succeed when tried again."""
    return bool(error.args) and error.args[0] in RETRIED_CODES


def is_away(error: Exception) -> bool:
    """Whether the database is to blame, so that the queue waits for it; not what is worked off, which would hold up all
    that comes after it for ever."""
    if not isinstance(error, OperationalError):
        return False
    if not (error.args and error.args[0] in BLAMED_CODES) and TOO_LONG not in str(error):
        return True
    connection.close_if_unusable_or_obsolete()
    try:
        connection.ensure_connection()
    except OperationalError:
        return True
    return False


def _raise_busy(error: OperationalError) -> None:
    """Raise DatabaseBusy in place of an error that says no more than that others hold the locks."""
    if is_transient(error) or (connection.vendor == "sqlite" and "is locked" in str(error)):
        raise DatabaseBusy from error
