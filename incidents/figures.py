"""Figures of the incidents opened in a span of time, by bucket and as a whole; docs/architecture.md defines them."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Count, Expression, IntegerField, Q, Sum, Value, When

from core.severity import Severity
from incidents import percentiles
from incidents.models import Incident, IncidentQuerySet
from users.models import User


@dataclass(frozen=True)
class Times:
    """Durations in seconds of those that have one; `pending` counts those that have none yet."""

    count: int
    mean: float | None
    p50: int | None
    p90: int | None
    pending: int


@dataclass
class Bucket:
    """What a span of time holds."""

    severities: Counter[int] = field(default_factory=Counter)
    reopened: int = 0
    ack_seconds: list[int] = field(default_factory=list)
    resolve_seconds: list[int] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.severities.total()

    @property
    def ack(self) -> Times:
        return self._times(self.ack_seconds)

    @property
    def resolve(self) -> Times:
        return self._times(self.resolve_seconds)

    def _times(self, seconds: list[int]) -> Times:
        ranks = percentiles.sorted_percentiles(sorted(seconds))
        mean = sum(seconds) / len(seconds) if seconds else None
        return Times(len(seconds), mean, ranks["p50_seconds"], ranks["p90_seconds"], self.total - len(seconds))


@dataclass
class Figures:
    """All buckets in order, the whole, and counts by id; None stands for none."""

    buckets: list[Bucket]
    whole: Bucket = field(default_factory=Bucket)
    teams: Counter[int | None] = field(default_factory=Counter)
    categories: Counter[int | None] = field(default_factory=Counter)
    services: Counter[int] = field(default_factory=Counter)


def parts_of(viewer: User) -> list[IncidentQuerySet]:
    """Return what a viewer sees in parts that each walk an index: unrestricted incidents, and restricted ones."""
    visible = Incident.objects.visible_to(viewer)
    if viewer.is_admin or viewer.is_responder:
        return [Incident.objects.counted(), visible.filter(is_restricted=True)]
    return [visible]


def figures_of(parts: Iterable[IncidentQuerySet], edges: Sequence[dt.datetime]) -> Figures:
    """Return the figures of incidents opened from the first edge until before the last; each edge begins a bucket."""
    found = Figures([Bucket() for _ in edges[1:]])
    for part in parts:
        within = part.order_by().filter(created_at__gte=edges[0], created_at__lt=edges[-1])
        buckets: Any = within.annotate(bucket=_bucket_of(edges, 0, len(edges) - 1)).values("bucket")
        for row in buckets.annotate(**_sums()):
            _add(found.buckets[row["bucket"]], row)
        for team, category, count in within.values_list("team_id", "category_id").annotate(number=Count("pk")):
            found.teams[team] += count
            found.categories[category] += count
        affected: Any = within.filter(services__isnull=False).values_list("services").annotate(number=Count("pk"))
        found.services.update(dict(affected))
    for bucket in found.buckets:
        found.whole.severities.update(bucket.severities)
        found.whole.reopened += bucket.reopened
        found.whole.ack_seconds += bucket.ack_seconds
        found.whole.resolve_seconds += bucket.resolve_seconds
    return found


def _bucket_of(edges: Sequence[dt.datetime], first: int, after: int) -> Expression:
    """Return the number of the bucket, found by halving: days begin when the viewer's do, on any database."""
    if after - first == 1:
        return Value(first, output_field=IntegerField())
    middle = (first + after) // 2
    earlier, later = _bucket_of(edges, first, middle), _bucket_of(edges, middle, after)
    return Case(When(created_at__lt=edges[middle], then=earlier), default=later, output_field=IntegerField())


def _sums() -> dict[str, Expression]:
    return {
        **{severity.word: _count_of(Q(severity=severity)) for severity in Severity},
        "reopened": _count_of(Q(reopen_count__gt=0)),
        **percentiles.joined("ack_seconds"),
        **percentiles.joined("resolve_seconds"),
    }


def _count_of(condition: Q) -> Sum:
    return Sum(Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField()))


def _add(bucket: Bucket, row: dict[str, Any]) -> None:
    bucket.severities.update({severity: row[severity.word] for severity in Severity if row[severity.word]})
    bucket.reopened += row["reopened"]
    bucket.ack_seconds += percentiles.numbers_of(row, "ack_seconds")
    bucket.resolve_seconds += percentiles.numbers_of(row, "resolve_seconds")
