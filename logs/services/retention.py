"""Delete the oldest lines by age and by size.

Size is estimated from a sample plus `ROW_BYTES`, measured at 300,000 lines (SQLite 300 to 350, MariaDB 250 to 450).
"""

import datetime as dt
from itertools import takewhile

from django.conf import settings

from core.db.transactions import unit_of_work
from logs.models import LogEntry
from logs.normalising import dumped

BATCH = 1000
SAMPLE = 200
ROW_BYTES = 350
NAMES_STORED = 3  # a name is in its row and one or two indexes
MEGABYTE = 1024 * 1024


@unit_of_work
def prune_aged(now: dt.datetime) -> int:
    """Delete and count one batch of aged lines."""
    until = now - dt.timedelta(days=settings.LOG_RETENTION_DAYS)
    oldest = LogEntry.objects.order_by("id").values_list("id", "received_at")[:BATCH]
    return _delete([number for number, _received in takewhile(lambda one: one[1] < until, oldest)])


@unit_of_work
def prune_oldest(count: int) -> int:
    """Delete and count the oldest lines, at most a batch."""
    return _delete(list(LogEntry.objects.order_by("id").values_list("id", flat=True)[: min(count, BATCH)]))


def surplus() -> int:
    """Return how many of the oldest lines must go."""
    count, mean = estimate()
    excess = count * mean - settings.LOG_RETENTION_MB * MEGABYTE
    return -int(-excess // mean) if excess > 0 else 0


def estimate() -> tuple[int, float]:
    """Return the number of lines and bytes per line, in three queries."""
    ends = [LogEntry.objects.order_by(order).values_list("id", flat=True).first() for order in ("id", "-id")]
    first, last = (end or 0 for end in ends)
    if not last:
        return 0, float(ROW_BYTES)
    span = last - first + 1
    numbers = {first + span * part // SAMPLE for part in range(SAMPLE)}
    columns = ("message", "attributes", "service", "host", "trace_id")
    sizes = [_size(*row) for row in LogEntry.objects.filter(pk__in=numbers).values_list(*columns)]
    return span * len(sizes) // len(numbers), sum(sizes) / len(sizes) if sizes else float(ROW_BYTES)


def _size(message: str, attributes: object, *names: str) -> int:
    of_names = sum(len(name.encode()) for name in names) * NAMES_STORED
    return ROW_BYTES + len(message.encode()) + len(dumped(attributes)) + of_names


def _delete(numbers: list[int]) -> int:
    if not numbers:
        return 0
    deleted, _by_model = LogEntry.objects.filter(pk__gte=numbers[0], pk__lte=numbers[-1]).delete()
    return deleted
