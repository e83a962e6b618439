"""Postpone events at which the database keeps failing, so that they hold up no others.

Nothing is dead-lettered for the database's faults. Each worker keeps its own list.
"""

import time
from dataclasses import dataclass, field

import structlog
from django.db import DatabaseError, InterfaceError, connection

log = structlog.get_logger(__name__)

FAILURES = 3  # in a row, until events are tried one by one
FIRST_SECONDS = 10.0
MAX_SECONDS = 600.0


@dataclass
class Postponed:
    """What a worker skips for now."""

    failures: int = 0
    _until: dict[int, float] = field(default_factory=dict)
    _times: dict[int, int] = field(default_factory=dict)

    def ids(self) -> set[int]:
        """Return the events that are not due."""
        now = time.monotonic()
        return {pk for pk, until in self._until.items() if until > now}

    def is_suspicious(self) -> bool:
        """Count a failed batch; return whether one of its events may be the cause."""
        self.failures += 1
        return self.failures >= FAILURES and answers()

    def succeeded(self, *done: int) -> None:
        self.failures = 0
        for pk in done:
            self._until.pop(pk, None)
            self._times.pop(pk, None)

    def postpone(self, pk: int, error: Exception) -> None:
        """Skip an event, each time for twice as long."""
        times = self._times[pk] = self._times.get(pk, 0) + 1
        seconds = min(MAX_SECONDS, FIRST_SECONDS * 2 ** (times - 1))
        self._until[pk] = time.monotonic() + seconds
        log.error("intake_postponed", intake=pk, seconds=seconds, times=times, error=f"{type(error).__name__}: {error}")


def answers() -> bool:
    try:
        connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True
