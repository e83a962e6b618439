"""Running the same moment several times at once, with real threads and connections."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from django.db import OperationalError, connections


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call returned, or the exception it raised; all start together."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=10)
            return _patiently(call)
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            return error
        finally:
            connections.close_all()

    # Untouched, the database's refusals reach `_patiently`, through views as well.
    with mock.patch("core.db.transactions._raise_busy"), ThreadPoolExecutor(max_workers=len(calls)) as executor:
        return list(executor.map(run, calls))


def _patiently(call: Callable[[], Any]) -> Any:
    """SQLite in memory, as tests have it, refuses at once where a file would wait; so the waiting is done here."""
    for _attempt in range(500):
        try:
            answer = call()
        except OperationalError as error:
            if "is locked" not in str(error):
                raise
        else:
            if not _says_busy(answer):
                return answer
        time.sleep(0.01)
    raise TimeoutError("the database stayed locked")


def _says_busy(answer: Any) -> bool:
    """Whether it is an answer, or its status and text, that says 503: nothing was done, and the same may succeed."""
    status = answer[0] if isinstance(answer, tuple) and answer else getattr(answer, "status_code", None)
    return status == 503
