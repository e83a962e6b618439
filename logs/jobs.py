"""Background jobs of logs; concurrency-safe, each returning a count."""

import datetime as dt
import time

from core.server.jobs import Job
from logs.services import detecting, retention, searching

PRUNING_SECONDS = 20.0
MAX_BATCHES = 20
SEARCHING_SECONDS = 120.0  # and twice a search: a job that runs for 300 counts as stuck


def prune_logs(now: dt.datetime) -> int:
    """Delete lines past their retention, for a bounded time."""
    deadline = time.monotonic() + PRUNING_SECONDS
    total = done = retention.prune_aged(now)
    while done and time.monotonic() < deadline:
        done = retention.prune_aged(now)
        total += done
    surplus = retention.surplus()
    while surplus > 0 and time.monotonic() < deadline:
        done = retention.prune_oldest(surplus)
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


def search_stores(now: dt.datetime) -> int:
    """Search outside stores for due windows of rules, for a bounded time."""
    return searching.run_due(now, seconds=SEARCHING_SECONDS)


JOBS = (
    Job("prune_logs", prune_logs, 60),
    Job("evaluate_rules", evaluate_rules, 1),
    Job("search_stores", search_stores, 5),
)
