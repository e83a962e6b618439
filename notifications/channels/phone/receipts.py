"""Receipts that arrive before the worker has stored the id that they name."""

import time
from collections.abc import Callable

PAUSES = (0.1, 0.3, 0.6)


def record_when_known(record: Callable[[], bool]) -> None:
    """Record a receipt, again after each pause while its message is unknown."""
    for pause in PAUSES:
        if record():
            return
        time.sleep(pause)
    record()
