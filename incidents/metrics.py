"""What the numbers are: the summary of open work, and how fast we were. Definitions stand in docs/architecture.md."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Expression, F, IntegerField, Q, Sum, Value, When
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek

from incidents import percentiles
from incidents.filters import ack_breached, resolve_breached
from incidents.models import IncidentQuerySet
from incidents.models.tally import Dimension
from incidents.representation import PRIORITY_WORD, SEVERITY_WORD
from incidents.services import tallies
from incidents.vocabulary import OPEN_STATUSES, Severity, Status
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
        return SEVERITY_WORD[int(value)]
    return value or "none"


# --- Response times and compliance


@dataclass(frozen=True)
class Grouping:
    """How `group_by` groups: the column or expression, and how its values are shown."""

    expression: str | Expression
    show: Callable[[Any], Any] = lambda value: value


def _day(value: dt.datetime) -> str:
    return value.date().isoformat()


def _month(value: dt.datetime) -> str:
    return f"{value:%Y-%m}"


GROUPINGS: dict[str, Grouping] = {
    "severity": Grouping("severity", SEVERITY_WORD.__getitem__),
    "priority": Grouping("priority", PRIORITY_WORD.__getitem__),
    "category": Grouping("category__slug"),
    "team": Grouping("team_id"),
    "service": Grouping("services__slug"),
    "day": Grouping(TruncDay("created_at", tzinfo=dt.UTC), _day),
    "week": Grouping(TruncWeek("created_at", tzinfo=dt.UTC), _day),
    "month": Grouping(TruncMonth("created_at", tzinfo=dt.UTC), _month),
}


def _when(condition: Q) -> Sum:
    return Sum(Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField()))


def _aggregates(now: dt.datetime) -> dict[str, Expression]:
    """One pass over stored columns; nothing is computed from timestamps."""
    ack_missed, resolve_missed = ack_breached(now), resolve_breached(now)
    return {
        "total": Count("pk"),
        "open": _when(Q(is_open=True)),
        "ack_count": Count("ack_seconds"),
        "ack_sum": Sum("ack_seconds"),
        "resolve_count": Count("resolve_seconds"),
        "resolve_sum": Sum("resolve_seconds"),
        "ack_missed": _when(ack_missed),
        # Once reopened it has a stamp, but is open, and its clock runs again: not counted before that is decided.
        "ack_met": _when(
            Q(ack_due_at__isnull=False, acknowledged_at__isnull=False) & ~Q(status=Status.OPEN) & ~ack_missed
        ),
        "resolve_missed": _when(resolve_missed),
        "resolve_met": _when(Q(resolve_due_at__isnull=False, resolved_at__isnull=False) & ~resolve_missed),
        "reopened": _when(Q(reopen_count__gt=0)),
    }


def sla(
    incidents: IncidentQuerySet, *, is_filtered: bool, viewer: User, group_by: str | None, now: dt.datetime
) -> dict[str, Any]:
    """The metrics of a selection: overall, and for each group. Times in seconds, shares from 0 to 1.

    An incident that affects two services is counted in both groups, and once overall.
    """
    is_everything = not is_filtered and (viewer.is_admin or viewer.is_responder)
    incidents = incidents.order_by()
    grouped_rows: Rows = {}
    if group_by is not None:
        grouped = incidents.annotate(group_key=_expression(GROUPINGS[group_by]))
        rows: Any = grouped.values("group_key").annotate(**_aggregates(now))
        grouped_rows = {row.pop("group_key"): row for row in rows}
    overall = _sum(grouped_rows) if grouped_rows and group_by != "service" else incidents.aggregate(**_aggregates(now))
    ranks = _percentiles(incidents, None, {None: overall}, is_everything=is_everything)
    answer = _figures(overall, *ranks[None])
    groups: list[dict[str, Any]] = []
    if group_by is not None:
        column = "severity" if is_everything and group_by == "severity" else "group_key"
        ranks = _percentiles(grouped, column, grouped_rows, is_everything=column == "severity")
        for key in sorted(grouped_rows, key=lambda key: (key is None, key)):
            shown = None if key is None else GROUPINGS[group_by].show(key)
            groups.append({"key": shown, **_figures(grouped_rows[key], *ranks[key])})
    return {**answer, "groups": groups}


Rows = dict[Any, dict[str, Any]]


def _expression(grouping: Grouping) -> Expression | F:
    return F(grouping.expression) if isinstance(grouping.expression, str) else grouping.expression


def _sum(rows: Rows) -> dict[str, Any]:
    """The overall row: the sum of groups that have nothing in common."""
    return {name: sum(row[name] or 0 for row in rows.values()) for name in next(iter(rows.values()))}


def _percentiles(
    incidents: IncidentQuerySet, group: str | None, rows: Rows, *, is_everything: bool
) -> dict[Any, tuple[percentiles.Percentiles, percentiles.Percentiles]]:
    found: dict[Any, list[percentiles.Percentiles]] = {key: [] for key in rows}
    for column, count in (("ack_seconds", "ack_count"), ("resolve_seconds", "resolve_count")):
        if is_everything:
            counts = {key: row[count] for key, row in rows.items()}
            ranks = percentiles.of_everything(incidents.filter(is_restricted=True), column, group, counts)
        else:
            ranks = percentiles.of_selection(incidents, column, group)
        for key, figures in found.items():
            figures.append(ranks.get(key) or percentiles.of_sorted(()))
    return {key: (ack, resolve) for key, (ack, resolve) in found.items()}


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
