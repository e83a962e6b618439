"""How long lines are kept: LOG_RETENTION_DAYS by age, LOG_RETENTION_MB by size; the oldest go first.

Lines are numbered as they come in, so that the oldest are at the beginning of the table and finding them costs nothing.
Age is counted from when a line was received: history that was handed in late stays as long as any other.

The size is an estimate from a sample: lines evenly spread over all numbers, their bytes, and what the row and its
indexes add to them (`ROW_BYTES`, measured at 300,000 lines: 300 to 350 in SQLite, 250 in MariaDB where lines came in
order, up to 450 where not).
It is of what is there now. Both databases keep the room of deleted rows and fill it with new ones, so neither a file's
size nor `information_schema` would show that anything went; nor does a file shrink.
"""

import datetime as dt
from itertools import takewhile

from django.conf import settings

from core.db.transactions import unit_of_work
from logs.fitting import dumped
from logs.models import LogEntry

BATCH = 1000
SAMPLE = 200
ROW_BYTES = 350
NAMES_STORED = 3  # times: a name stands in its row, and in an index or two
MEGABYTE = 1024 * 1024


@unit_of_work
def forget_aged(now: dt.datetime) -> int:
    """Delete one batch of lines that were received too long ago; the number of them."""
    until = now - dt.timedelta(days=settings.LOG_RETENTION_DAYS)
    oldest = LogEntry.objects.order_by("id").values_list("id", "received_at")[:BATCH]
    return _delete([number for number, _received in takewhile(lambda one: one[1] < until, oldest)])


@unit_of_work
def forget_oldest(count: int) -> int:
    """Delete so many of the oldest lines, at most one batch; the number of them."""
    return _delete(list(LogEntry.objects.order_by("id").values_list("id", flat=True)[: min(count, BATCH)]))


def surplus() -> int:
    """How many of the oldest lines must go for the others to have room; 0 where all have."""
    count, mean = estimate()
    excess = count * mean - settings.LOG_RETENTION_MB * MEGABYTE
    return -int(-excess // mean) if excess > 0 else 0


def estimate() -> tuple[int, float]:
    """About how many lines there are, and the bytes that one takes with its share of the indexes. Three queries."""
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
