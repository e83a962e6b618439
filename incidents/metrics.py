"""What the numbers are: the summary of open work, and how fast we were. Definitions stand in docs/architecture.md."""

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

# --- Summary ----------------------------------------------------------------------------------------------------------


def summary(incidents: IncidentQuerySet, *, is_filtered: bool, viewer: User) -> dict[str, Any]:
    """Counts by status, severity, team and category.

    Unfiltered, a responder or administrator sees everything that is not restricted: those counts are kept. What is
    restricted and visible to them is few, and counted on the spot, as is everything for a reporter or with filters.
    """
    if is_filtered or not (viewer.is_admin or viewer.is_responder):
        counts = _counted(incidents)
    else:
        counts = tallies.current() + _counted(incidents.filter(is_restricted=True))
    by: dict[str, dict[str, int]] = {"status": {}, "severity": {}, "team": {}, "category": {}}
    for (dimension, value), number in sorted(counts.items()):
        if number:
            by[dimension][_shown(dimension, value)] = number
    statuses = by["status"]
    return {
        "total": sum(statuses.values()),
        "open": sum(statuses.get(status, 0) for status in OPEN_STATUSES),
        "by_status": {status.value: statuses.get(status, 0) for status in Status},
        "by_severity": {severity.word: by["severity"].get(severity.word, 0) for severity in sorted(Severity)[::-1]},
        "by_team": by["team"],
        "by_category": by["category"],
    }


def _counted(incidents: IncidentQuerySet) -> Any:
    counts: tallies.Counts = tallies.Counts()
    columns = ("status", "severity", "team_id", "category_id")
    for *values, number in incidents.order_by().values_list(*columns).annotate(number=Count("pk")):
        for dimension, value in zip(Dimension.values, values, strict=True):
            counts[dimension, str(value or "")] += number
    return counts


def _shown(dimension: str, value: str) -> str:
    if dimension == "severity":
        return WORD_OF_SEVERITY[int(value)]
    return value or "none"


# --- Response times and compliance


@dataclass(frozen=True)
class Grouping:
    """How `group_by` groups: the column or expression, and how its values are shown."""

    expression: Expression | F
    show: Callable[[Any], Any] = lambda value: value


def _day(value: dt.datetime) -> str:
    return value.date().isoformat()


def _month(value: dt.datetime) -> str:
    return f"{value:%Y-%m}"


# "+ 0": grouping by a bare column, the databases would read the rows in the order of that column's index, one by one
# from all over the table, to save themselves a sort of four groups.
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


def _when(condition: Q) -> Sum:
    return Sum(Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField()))


def _aggregates(now: dt.datetime) -> dict[str, Expression]:
    """One pass over stored columns, those of one index; nothing is computed from timestamps."""
    ack_missed, resolve_missed = ack_breached(now), resolve_breached(now)
    is_acknowledged = Q(ack_due_at__isnull=False, ack_seconds__isnull=False)
    is_resolved = Q(resolve_due_at__isnull=False, resolve_seconds__isnull=False)
    return {
        "total": Count("pk"),
        "open": _when(Q(status__in=OPEN_STATUSES)),
        "ack_count": Count("ack_seconds"),
        "ack_sum": Sum("ack_seconds"),
        "resolve_count": Count("resolve_seconds"),
        "resolve_sum": Sum("resolve_seconds"),
        "ack_missed": _when(ack_missed),
        # Once reopened it has a stamp, but is open, and its clock runs again: not counted before that is decided.
        "ack_met": _when(is_acknowledged & ~Q(status=Status.OPEN) & ~ack_missed),
        "resolve_missed": _when(resolve_missed),
        "resolve_met": _when(is_resolved & ~resolve_missed),
        "reopened": _when(Q(reopen_count__gt=0)),
    }


def sla(
    incidents: IncidentQuerySet, *, is_filtered: bool, viewer: User, group_by: str | None, now: dt.datetime
) -> dict[str, Any]:
    """The metrics of a selection: overall, and for each group. Times in seconds, shares from 0 to 1.

    An incident that affects two services is counted in both groups, and once overall.
    """
    is_everything = not is_filtered and (viewer.is_admin or viewer.is_responder)
    parts = [Incident.objects.counted(), incidents.filter(is_restricted=True)] if is_everything else [incidents]
    grouped_rows = _rows(parts, group_by, now) if group_by else {}
    is_partition = bool(grouped_rows) and group_by != "service"
    overall = _sum(grouped_rows.values()) if is_partition else _rows(parts, None, now)[None]
    of_all, of_groups = _percentiles(parts, group_by, overall, grouped_rows, is_partition=is_partition)
    groups = []
    if group_by is not None:
        for key in sorted(grouped_rows, key=lambda key: (key is None, key)):
            shown = None if key is None else GROUPINGS[group_by].show(key)
            groups.append({"key": shown, **_figures(grouped_rows[key], *of_groups[key])})
    return {**_figures(overall, *of_all), "groups": groups}


Rows = dict[Any, dict[str, Any]]


def _rows(parts: list[IncidentQuerySet], group_by: str | None, now: dt.datetime) -> Rows:
    """The sums of each group over all parts, which have nothing in common."""
    found: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    for part in parts:
        if group_by is None:
            found[None].append(part.order_by().aggregate(**_aggregates(now)))
            continue
        grouped = part.order_by().annotate(group_key=GROUPINGS[group_by].expression)
        rows: Any = grouped.values("group_key").annotate(**_aggregates(now))
        for row in rows:
            found[row.pop("group_key")].append(row)
    return {key: _sum(rows) for key, rows in found.items()}


def _sum(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Rows of groups that have nothing in common, as one."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update({name: value or 0 for name, value in row.items()})
    return dict(total)


def _percentiles(
    parts: list[IncidentQuerySet], group_by: str | None, overall: dict[str, Any], rows: Rows, *, is_partition: bool
) -> tuple[percentiles.Pair, dict[Any, percentiles.Pair]]:
    """Overall and in each group. Two parts are everything, and what is restricted of it: that is read off an index."""
    is_everything = len(parts) == 2
    of_groups: dict[Any, percentiles.Pair] = {}
    durations: dict[Any, percentiles.Durations] = {}
    if is_everything and group_by == "severity":
        of_groups = percentiles.of_everything(parts[1], group_by, _counts(rows))
    elif group_by:
        durations = percentiles.durations_of(parts, GROUPINGS[group_by].expression)
        of_groups = {key: percentiles.of_durations(durations[key]) for key in rows}
    if is_everything:
        return percentiles.of_everything(parts[1], None, _counts({None: overall}))[None], of_groups
    if not is_partition:
        durations = percentiles.durations_of(parts, None)
    return percentiles.of_durations(percentiles.together(durations.values())), of_groups


def _counts(rows: Rows) -> dict[Any, tuple[int, int]]:
    return {key: (row["ack_count"], row["resolve_count"]) for key, row in rows.items()}


def _figures(row: dict[str, Any], ack: percentiles.Percentiles, resolve: percentiles.Percentiles) -> dict[str, Any]:
    return {
        "total": row["total"],
        "open": row["open"] or 0,
        "acknowledged": _times(row, "ack", ack),
        "resolved": _times(row, "resolve", resolve),
        "compliance": {name: _share(row[f"{name}_met"], row[f"{name}_missed"]) for name in ("ack", "resolve")},
        "breached": {name: row[f"{name}_missed"] or 0 for name in ("ack", "resolve")},
        "reopened": row["reopened"] or 0,
    }


def _times(row: dict[str, Any], name: str, ranks: percentiles.Percentiles) -> dict[str, Any]:
    count = row[f"{name}_count"]
    mean = float(row[f"{name}_sum"]) / count if count else None
    return {"count": count, "mean_seconds": mean, **ranks, "pending": row["total"] - count}


def _share(met: int | None, missed: int | None) -> float | None:
    counted = (met or 0) + (missed or 0)
    return (met or 0) / counted if counted else None
