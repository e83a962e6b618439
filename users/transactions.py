"""One transaction for one piece of work, tried again where the database asked for it."""

import contextlib
import fcntl
import functools
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 6
# MySQL: 1213 deadlock found, 1205 lock wait timeout. Both rolled the work back, and both go away by trying again.
RETRIED_CODES = frozenset({1205, 1213})


def unit_of_work(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in a transaction; the outermost one is tried again after a deadlock.

    Inside another transaction it is a savepoint of that one: a retry there would repeat half of the work.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with _turn_to_write(), transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if attempt == ATTEMPTS or not is_transient(error):
                    raise
                time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 (spreading retries, not a secret)
        raise AssertionError("unreachable: the last attempt returns or raises")

    return wrapper


@contextlib.contextmanager
def _turn_to_write() -> Iterator[None]:
    """Wait in line for SQLite, which lets one transaction write at a time; nothing to wait for elsewhere.

    SQLite itself has those who wait sleep and look again, for up to a tenth of a second at a time and in no order: half
    of the time nobody writes, and somebody waits for a second. A lock on a file beside the database hands over at once,
    between threads and processes alike, and is let go by the system when its holder dies.
    """
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or ":memory:" in name or "mode=memory" in name:
        yield
        return
    with Path(f"{name}-turn").open("a") as line:
        fcntl.flock(line, fcntl.LOCK_EX)
        yield


def is_transient(error: OperationalError) -> bool:
    """Whether the database itself says that the same work may succeed when tried again."""
    return bool(error.args) and error.args[0] in RETRIED_CODES
