"""How many lines there were when: bounded counts along indexes, in one query."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, IntegerField, Q, Value, When

from logs.filters import selection
from logs.models import LogEntry
from logs.vocabulary import Level

BUCKETS = 48
MAX_LOOKED_AT = 300  # lines of a bucket, shared among levels; the rest is estimated from the time these took
MIN_LOOKED_AT = 60
TIMES = ("since", "until")
ERRORS = (Level.ERROR, Level.CRITICAL)


@dataclass(frozen=True)
class Bucket:
    """Lines between two times, and those at least errors; an estimate unless exact."""

    since: dt.datetime
    until: dt.datetime
    count: int
    errors: int
    is_exact: bool


@dataclass(frozen=True)
class _Part:
    """Rows of one bucket that one index holds in order."""

    bucket: int
    rows: Any  # of LogEntry, annotated with whether each is a hit
    is_total: bool  # False: counts errors alone


@dataclass(frozen=True)
class _Seen:
    """A part's rows: how many match, are errors among these, when the last was; not all of them if `is_cut`."""

    hits: int = 0
    errors: int = 0
    last: dt.datetime | None = None
    is_cut: bool = False


def density(given: Mapping[str, str], since: dt.datetime, until: dt.datetime) -> list[Bucket]:
    """Return lines that match the list's filters by time. Raises ValidationError for wrong ones."""
    step = (until - since) / BUCKETS
    edges = [since + step * number for number in range(BUCKETS)] + [until]
    filters = {name: value for name, value in given.items() if name not in TIMES}
    parts = _parts(filters, edges)
    found: dict[int, list[tuple[_Part, _Seen]]] = {}
    try:
        counted = _counted(parts)
    except EmptyResultSet:  # filters that exclude each other
        counted = [_Seen()] * len(parts)
    for part, seen in zip(parts, counted, strict=True):
        found.setdefault(part.bucket, []).append((part, seen))
    has_own = any(not part.is_total for part in parts)
    return [_bucket(start, end, found[number], has_own) for number, (start, end) in enumerate(pairwise(edges))]


def _parts(filters: Mapping[str, str], edges: Sequence[dt.datetime]) -> list[_Part]:
    selected = selection(LogEntry.objects.all(), filters)
    hit = Case(When(selected.checked, then=1), default=0, output_field=IntegerField()) if selected.checked else Value(1)
    rows = selected.rows.annotate(hit=hit).order_by("timestamp")
    branches = [(branch, True) for branch in selected.branches]
    if not filters:  # errors are rare among many lines: along their own index
        branches += [(Q(level=level), False) for level in ERRORS]
    return [
        _Part(number, rows.filter(branch, timestamp__gte=start, timestamp__lt=end), is_total)
        for number, (start, end) in enumerate(pairwise(edges))
        for branch, is_total in branches
    ]


def _counted(parts: Sequence[_Part]) -> list[_Seen]:
    most = max(MIN_LOOKED_AT, MAX_LOOKED_AT * BUCKETS // len(parts))
    texts: list[str] = []
    values: list[Any] = []
    for number, part in enumerate(parts):
        text, given = part.rows.values("timestamp", "level", "hit")[:most].query.sql_with_params()
        texts.append(
            f"SELECT {number}, COUNT(*), SUM(hit), SUM(CASE WHEN hit = 1 AND level >= {Level.ERROR.value} "  # noqa: S608
            f"THEN 1 ELSE 0 END), MAX(timestamp) FROM ({text}) AS part"
        )
        values += given
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(texts), values)
        rows = sorted(cursor.fetchall())
    return [
        _Seen(int(hits or 0), int(errors or 0), _moment(last), is_cut=number >= most)
        for _part, number, hits, errors, last in rows
    ]


def _moment(value: Any) -> dt.datetime | None:
    if value is None:
        return None
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return moment.replace(tzinfo=dt.UTC)


def _bucket(since: dt.datetime, until: dt.datetime, found: Sequence[tuple[_Part, _Seen]], has_own: bool) -> Bucket:
    count = errors = 0.0
    for part, seen in found:
        scale = 1.0
        if seen.is_cut and seen.last is not None:
            scale = (until - since) / max(seen.last - since, dt.timedelta(microseconds=1))
        count += seen.hits * scale if part.is_total else 0
        errors += seen.errors * scale if has_own is not part.is_total else 0
    is_exact = not any(seen.is_cut for _part, seen in found)
    return Bucket(since, until, round(max(count, errors)), round(errors), is_exact)
