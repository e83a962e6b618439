"""How long a process waits for its database. Commands wait for ever: a migration takes what it takes."""

from django.conf import settings
from django.db import connections

from core.db.outages import outages

WORKER_FACTOR = 6  # a job may have much to do in one statement, and nobody waits for its answer


def limit_waits(seconds: int) -> None:
    """From the next connection on, wait so long for an answer, and less for a lock; call it before there is any.

    A connection that leads nowhere would otherwise be waited for until the system gives it up, in hours.
    """
    outages.spares_many = True
    for database in connections.settings.values():
        options = database["OPTIONS"]
        if database["ENGINE"].endswith("sqlite3"):
            options["timeout"] = seconds
            continue
        options |= {"connect_timeout": min(seconds, 5), "read_timeout": seconds, "write_timeout": seconds}
        # The server's own word that somebody holds a lock says more than a connection that was given up.
        options["init_command"] += f", innodb_lock_wait_timeout={seconds - 1}, lock_wait_timeout={seconds - 1}"


def limit_waits_of_web() -> None:
    """As DATABASE_SECONDS says."""
    limit_waits(settings.DATABASE_SECONDS)


def limit_waits_of_worker() -> None:
    """As DATABASE_SECONDS says for the worker."""
    limit_waits(settings.DATABASE_SECONDS * WORKER_FACTOR)
