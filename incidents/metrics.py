"""Calculate the summary and the response metrics, which docs/architecture.md defines."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Expression, F, IntegerField, Q, Sum, Value, When
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek

from core.severity import WORD_OF_PRIORITY, WORD_OF_SEVERITY, Severity
from incidents import percentiles
from incidents.filters import ack_breached, resolve_breached
from incidents.models import Incident, IncidentQuerySet
from incidents.models.tally import Dimension
from incidents.services import tallies
from incidents.vocabulary import OPEN_STATUSES, Status
from users.models import User


def incident_summary(incidents: IncidentQuerySet, *, is_filtered: bool, viewer: User) -> dict[str, Any]:
    """Return counts by status, severity, team and category.

    Unfiltered, stored tallies cover what is not restricted; everything else is few and counted on the spot.
    """
    if is_filtered or not (viewer.is_admin or viewer.is_responder):
        counts = _count_dimensions(incidents)
    else:
        counts = tallies.current() + _count_dimensions(incidents.filter(is_restricted=True))
    by: dict[str, dict[str, int]] = {"status": {}, "severity": {}, "team": {}, "category": {}}
    for (dimension, value), number in sorted(counts.items()):
        if number:
            by[dimension][_dimension_word(dimension, value)] = number
    statuses = by["status"]
    return {
        "total": sum(statuses.values()),
        "open": sum(statuses.get(status, 0) for status in OPEN_STATUSES),
        "by_status": {status.value: statuses.get(status, 0) for status in Status},
        "by_severity": {severity.word: by["severity"].get(severity.word, 0) for severity in sorted(Severity)[::-1]},
        "by_team": by["team"],
        "by_category": by["category"],
    }


def _count_dimensions(incidents: IncidentQuerySet) -> Any:
    counts: tallies.Counts = tallies.Counts()
    columns = ("status", "severity", "team_id", "category_id")
    for *values, number in incidents.order_by().values_list(*columns).annotate(number=Count("pk")):
        for dimension, value in zip(Dimension.values, values, strict=True):
            counts[dimension, str(value or "")] += number
    return counts


def _dimension_word(dimension: str, value: str) -> str:
    if dimension == "severity":
        return WORD_OF_SEVERITY[int(value)]
    return value or "none"


@dataclass(frozen=True)
class Grouping:
    """The expression to group by, and how its values are shown."""

    expression: Expression | F
    show: Callable[[Any], Any] = lambda value: value


def _day(value: dt.datetime) -> str:
    return value.date().isoformat()


def _month(value: dt.datetime) -> str:
    return f"{value:%Y-%m}"


# "+ 0" keeps the databases from reading all rows in the order of that column's index to avoid a small sort.
GROUPINGS: dict[str, Grouping] = {
    "severity": Grouping(F("severity") + 0, WORD_OF_SEVERITY.__getitem__),
    "priority": Grouping(F("priority") + 0, WORD_OF_PRIORITY.__getitem__),
    "category": Grouping(F("category__slug")),
    "team": Grouping(F("team_id") + 0),
    "service": Grouping(F("services__slug")),
    "day": Grouping(TruncDay("created_at", tzinfo=dt.UTC), _day),
    "week": Grouping(TruncWeek("created_at", tzinfo=dt.UTC), _day),
    "month": Grouping(TruncMonth("created_at", tzinfo=dt.UTC), _month),
}


def _count_where(condition: Q) -> Sum:
    return Sum(Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField()))


def _metric_sums(now: dt.datetime) -> dict[str, Expression]:
    """Return sums over the columns of one index; nothing is computed from timestamps."""
    ack_missed, resolve_missed = ack_breached(now), resolve_breached(now)
    is_acknowledged = Q(ack_due_at__isnull=False, ack_seconds__isnull=False)
    is_resolved = Q(resolve_due_at__isnull=False, resolve_seconds__isnull=False)
    return {
        "total": Count("pk"),
        "open": _count_where(Q(status__in=OPEN_STATUSES)),
        "ack_count": Count("ack_seconds"),
        "ack_sum": Sum("ack_seconds"),
        "resolve_count": Count("resolve_seconds"),
        "resolve_sum": Sum("resolve_seconds"),
        "ack_missed": _count_where(ack_missed),
        # A reopened incident keeps its stamp, but its clock runs again.
        "ack_met": _count_where(is_acknowledged & ~Q(status=Status.OPEN) & ~ack_missed),
        "resolve_missed": _count_where(resolve_missed),
        "resolve_met": _count_where(is_resolved & ~resolve_missed),
        "reopened": _count_where(Q(reopen_count__gt=0)),
    }


def response_metrics(
    incidents: IncidentQuerySet, *, is_filtered: bool, viewer: User, group_by: str | None, now: dt.datetime
) -> dict[str, Any]:
    """Return the metrics of a selection and of each group. Times in seconds, shares from 0 to 1.

    An incident that affects two services counts in both groups, and once overall.
    """
    is_staff = viewer.is_admin or viewer.is_responder
    is_everything = is_staff and not is_filtered
    unrestricted = Incident.objects.counted() if is_everything else incidents.filter(is_restricted=False)
    # each part walks its end of the measured index
    parts = [unrestricted, incidents.filter(is_restricted=True)] if is_staff else [incidents]
    grouped_rows = _group_sums(parts, group_by, now) if group_by else {}
    is_partition = bool(grouped_rows) and group_by != "service"
    overall = _add_rows(grouped_rows.values()) if is_partition else _group_sums(parts, None, now)[None]
    of_all, of_groups = _all_percentiles(
        parts, group_by, overall, grouped_rows, is_everything=is_everything, is_partition=is_partition
    )
    groups = []
    if group_by is not None:
        for key in sorted(grouped_rows, key=lambda key: (key is None, key)):
            shown = None if key is None else GROUPINGS[group_by].show(key)
            groups.append({"key": shown, **_metrics_of(grouped_rows[key], *of_groups[key])})
    return {**_metrics_of(overall, *of_all), "groups": groups}


Rows = dict[Any, dict[str, Any]]


def _group_sums(parts: list[IncidentQuerySet], group_by: str | None, now: dt.datetime) -> Rows:
    found: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    for part in parts:
        if group_by is None:
            found[None].append(part.order_by().aggregate(**_metric_sums(now)))
            continue
        grouped = part.order_by().annotate(group_key=GROUPINGS[group_by].expression)
        rows: Any = grouped.values("group_key").annotate(**_metric_sums(now))
        for row in rows:
            found[row.pop("group_key")].append(row)
    return {key: _add_rows(rows) for key, rows in found.items()}


def _add_rows(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update({name: value or 0 for name, value in row.items()})
    return dict(total)


def _all_percentiles(
    parts: list[IncidentQuerySet],
    group_by: str | None,
    overall: dict[str, Any],
    rows: Rows,
    *,
    is_everything: bool,
    is_partition: bool,
) -> tuple[percentiles.Pair, dict[Any, percentiles.Pair]]:
    """Return those of all and of each group; those of everything are read off an index."""
    of_groups: dict[Any, percentiles.Pair] = {}
    durations: dict[Any, percentiles.Durations] = {}
    if is_everything and group_by == "severity":
        of_groups = percentiles.indexed_percentiles(parts[1], group_by, _duration_counts(rows))
    elif group_by:
        durations = percentiles.collect_durations(parts, GROUPINGS[group_by].expression)
        of_groups = {key: percentiles.duration_percentiles(durations[key]) for key in rows}
    if is_everything:
        return percentiles.indexed_percentiles(parts[1], None, _duration_counts({None: overall}))[None], of_groups
    if not is_partition:
        durations = percentiles.collect_durations(parts, None)
    return percentiles.duration_percentiles(percentiles.merge_durations(durations.values())), of_groups


def _duration_counts(rows: Rows) -> dict[Any, tuple[int, int]]:
    return {key: (row["ack_count"], row["resolve_count"]) for key, row in rows.items()}


def _metrics_of(row: dict[str, Any], ack: percentiles.Percentiles, resolve: percentiles.Percentiles) -> dict[str, Any]:
    return {
        "total": row["total"],
        "open": row["open"] or 0,
        "acknowledged": _duration_stats(row, "ack", ack),
        "resolved": _duration_stats(row, "resolve", resolve),
        "compliance": {name: _met_share(row[f"{name}_met"], row[f"{name}_missed"]) for name in ("ack", "resolve")},
        "breached": {name: row[f"{name}_missed"] or 0 for name in ("ack", "resolve")},
        "reopened": row["reopened"] or 0,
    }


def _duration_stats(row: dict[str, Any], name: str, ranks: percentiles.Percentiles) -> dict[str, Any]:
    count = row[f"{name}_count"]
    mean = float(row[f"{name}_sum"]) / count if count else None
    return {"count": count, "mean_seconds": mean, **ranks, "pending": row["total"] - count}


def _met_share(met: int | None, missed: int | None) -> float | None:
    counted = (met or 0) + (missed or 0)
    return (met or 0) / counted if counted else None
