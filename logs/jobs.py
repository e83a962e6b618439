"""Background jobs of logs; concurrency-safe, each returning a count."""

import datetime as dt
import time

from core.server.jobs import Job
from logs.services import detecting, retention

FORGETTING_SECONDS = 20.0
MAX_BATCHES = 20


def forget_old(now: dt.datetime) -> int:
    """Delete lines past their retention, for a bounded time."""
    deadline = time.monotonic() + FORGETTING_SECONDS
    total = done = retention.forget_aged(now)
    while done and time.monotonic() < deadline:
        done = retention.forget_aged(now)
        total += done
    surplus = retention.surplus()
    while surplus > 0 and time.monotonic() < deadline:
        done = retention.forget_oldest(surplus)
        surplus -= max(done, 1)
        total += done
    return total


def evaluate_rules(now: dt.datetime) -> int:
    """Evaluate due windows of detection rules."""
    total = 0
    for _ in range(MAX_BATCHES):
        done = detecting.run_due(now)
        total += done
        if not done:
            break
    return total


JOBS = (Job("prune_logs", forget_old, 60), Job("evaluate_rules", evaluate_rules, 1))
