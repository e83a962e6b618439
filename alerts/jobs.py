"""Background jobs of alerts, safe in any number of processes; each returns how many rows it did."""

import datetime as dt
import time

from alerts.services import heartbeats, maintenance, processing
from core.server.jobs import Job

MAX_BATCHES = 20
# Senders need a moment after our restart; Prometheus repeats every minute.
SETTLING_SECONDS = 90.0

_started = time.monotonic()


def process_intake(now: dt.datetime) -> int:
    """Process intake events; later ones gather for the next run."""
    total = 0
    for _ in range(MAX_BATCHES):
        done = processing.process_waiting()
        total += done
        if done < processing.BATCH:
            break
    return total


def expire_alerts(now: dt.datetime) -> int:
    """Expire silent alerts, once the process has settled."""
    return maintenance.expire(now) if _has_settled() else 0


def _has_settled() -> bool:
    return time.monotonic() - _started >= SETTLING_SECONDS


def release_silenced(now: dt.datetime) -> int:
    """Open incidents of alerts whose silence ended."""
    return maintenance.release_silenced(now)


def clear_flapping(now: dt.datetime) -> int:
    return maintenance.clear_flapping(now)


def watch_heartbeats(now: dt.datetime) -> int:
    """Raise alerts for missed heartbeats, once the process has settled."""
    return heartbeats.watch(now) if _has_settled() else 0


def prune_intake(now: dt.datetime) -> int:
    total = 0
    for _ in range(MAX_BATCHES):
        done = maintenance.prune(now)
        total += done
        if not done:
            break
    return total


JOBS = (
    Job("process_intake", process_intake, 0.1),
    Job("expire_alerts", expire_alerts, 5),
    Job("release_silenced", release_silenced, 5),
    Job("clear_flapping", clear_flapping, 30),
    Job("watch_heartbeats", watch_heartbeats, 10),
    Job("prune_intake", prune_intake, 600),
)
