"""The database's time, by which due times and leases are compared: workers' clocks differ."""

import datetime as dt
import time

from django.db import connection
from django.utils import timezone

TRUSTED_SECONDS = 5.0  # one reading serves all jobs of a process

_read: tuple[float, dt.datetime] | None = None  # by the monotonic clock


def database_now() -> dt.datetime:
    """Return the database's time in UTC, with microseconds; SQLite has no clock but the process's.

    Between readings it advances by the monotonic clock.
    """
    global _read
    if connection.vendor != "mysql":
        return timezone.now()
    moment = time.monotonic()
    if _read is None or not 0 <= moment - _read[0] < TRUSTED_SECONDS:
        _read = (moment, _ask())
    return _read[1] + dt.timedelta(seconds=time.monotonic() - _read[0])


def _ask() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT UTC_TIMESTAMP(6)")
        found: dt.datetime = cursor.fetchone()[0]
    return found.replace(tzinfo=dt.UTC)
