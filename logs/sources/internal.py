import datetime as dt
from collections.abc import Iterator

from django.db.models import Q, QuerySet

from logs.models import LogEntry
from logs.sources import SeenLine
from logs.vocabulary import Level

CHUNK = 2000  # MySQL's client holds the whole answer
PLAIN = ("id", "timestamp", "level", "service", "host", "message", "trace_id")


class InternalSource:
    def lines(
        self,
        since: dt.datetime,
        until: dt.datetime,
        *,
        level: int = 0,
        below: int | None = None,
        service: str = "",
        limit: int | None = None,
        with_attributes: bool = False,
    ) -> Iterator[SeenLine]:
        """Yield at most `limit` lines, by time within each level; `until` and `below` are exclusive."""
        columns = (*PLAIN, "attributes") if with_attributes else PLAIN
        left = limit
        for part in _parts(level, below, service):
            for line in _walk(part.filter(timestamp__lt=until), since, columns):
                if left is not None and left <= 0:
                    return
                left = None if left is None else left - 1
                yield line


def _parts(level: int, below: int | None, service: str) -> list[QuerySet[LogEntry]]:
    wanted = [one for one in Level if one >= level and (below is None or one < below)]
    if service:
        return [LogEntry.objects.filter(service=service, level=one) for one in wanted]
    if len(wanted) == len(Level):
        return [LogEntry.objects.all()]
    return [LogEntry.objects.filter(level=one) for one in wanted]


def _walk(part: QuerySet[LogEntry], since: dt.datetime, columns: tuple[str, ...]) -> Iterator[SeenLine]:
    position = Q(timestamp__gte=since)
    ordered = part.order_by("timestamp", "id")
    while True:
        rows = list(ordered.filter(position).values_list(*columns)[:CHUNK])
        for row in rows:
            yield SeenLine._make((*row[1:7], row[7] if len(row) > 7 else {}))
        if len(rows) < CHUNK:
            return
        pk, timestamp = rows[-1][0], rows[-1][1]
        position = Q(timestamp__gte=timestamp) & (Q(timestamp__gt=timestamp) | Q(id__gt=pk))
