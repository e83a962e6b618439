"""Work over rows that are due. Each function is safe to run in any number of processes, and returns how many it did."""

import datetime as dt

from logs.services import retention

MAX_BATCHES = 20  # then the worker looks whether it is to stop


def forget_old(now: dt.datetime) -> int:
    """Delete lines that are kept no longer, or that have no room."""
    total = 0
    for _ in range(MAX_BATCHES):
        done = retention.forget(now)
        total += done
        if not done:
            break
    return total
