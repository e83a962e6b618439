"""Bound how long a process waits for its database."""

from django.conf import settings
from django.db import connections

from core.db.outages import outages

WORKER_FACTOR = 6  # jobs run long statements


def limit_waits(seconds: int) -> None:
    """Limit statements and, below that, locks, from the next connection on."""
    outages.spares_many = True
    for database in connections.settings.values():
        options = database["OPTIONS"]
        if database["ENGINE"].endswith("sqlite3"):
            options["timeout"] = seconds
            continue
        options |= {"connect_timeout": min(seconds, 5), "read_timeout": seconds, "write_timeout": seconds}
        # The server's lock error says more than a dropped connection.
        options["init_command"] += f", innodb_lock_wait_timeout={seconds - 1}, lock_wait_timeout={seconds - 1}"


def limit_waits_of_web() -> None:
    limit_waits(settings.DATABASE_SECONDS)


def limit_waits_of_worker() -> None:
    limit_waits(settings.DATABASE_SECONDS * WORKER_FACTOR)
