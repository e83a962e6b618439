"""The SLA report: the figures of `metrics/sla/` as a table, each with the list behind it."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from console.charts import Cell, number
from console.reporting.scope import moment_text
from console.reporting.words import percent, short_duration
from core.severity import Severity
from incidents.models import Category
from responders.models import Service, Team

Filters = dict[str, str]
RANKS = ("mean", "p50", "p90", "p95")


@dataclass(frozen=True)
class Row:
    """A group, or the whole."""

    label: Cell
    cells: tuple[Cell, ...]


def header() -> tuple[str, ...]:
    """Return the columns after the group's, as exported."""
    parts = {"ack": _("Acknowledge"), "resolve": _("Resolve")}
    names = [_("Compliance"), _("Breached"), _("Mean"), _("p50"), _("p90"), _("p95"), _("Pending")]
    of_targets = (
        _("%(target)s: %(figure)s") % {"target": target, "figure": name} for target in parts.values() for name in names
    )
    return _("Incidents"), _("Open"), *of_targets, _("Reopened")


def rows_of(answer: Mapping[str, Any], group_by: str | None, filters: Filters) -> tuple[list[Row], Row]:
    """Return the groups' rows and the whole's; `filters` are those of the list that the figures are of."""
    name_of = _namer(group_by, [group["key"] for group in answer["groups"]])
    groups = []
    for group in answer["groups"]:
        narrowed = {**filters, **_filter_of(group_by, group["key"], filters)}
        groups.append(Row(_label_cell(name_of(group["key"]), narrowed), tuple(_cells(group, narrowed))))
    if group_by in ("severity", "priority"):
        groups.reverse()
    return groups, Row(_label_cell(_("All"), filters), tuple(_cells(answer, filters)))


def list_url(filters: Filters) -> str:
    return f"{reverse('console:incidents')}?{urlencode(filters)}"


def _label_cell(text: str, filters: Filters) -> Cell:
    return Cell(text, text, list_url(filters))


def _cells(figures: Mapping[str, Any], filters: Filters) -> Iterator[Cell]:
    yield _count(figures["total"], filters)
    yield _count(figures["open"], filters, is_open="true")
    for name, times, stamped, pending in (
        ("ack", figures["acknowledged"], {"acknowledged": "true"}, {"acknowledged": "false"}),
        ("resolve", figures["resolved"], {"is_open": "false"}, {"is_open": "true"}),
    ):
        share = figures["compliance"][name]
        yield Cell(percent(share), "" if share is None else round(100 * share, 2))
        yield _count(figures["breached"][name], filters, breached=name)
        for rank in RANKS:
            seconds = times[f"{rank}_seconds"]
            value = "" if seconds is None else round(seconds)
            yield Cell(short_duration(seconds), value, "" if seconds is None else list_url({**filters, **stamped}))
        yield _count(times["pending"], filters, **pending)
    yield _count(figures["reopened"], filters, reopened="true")


def _count(value: int, filters: Filters, **more: str) -> Cell:
    return Cell(number(value), value, list_url({**filters, **more}) if value else "")


def _namer(group_by: str | None, keys: list[Any]) -> Callable[[Any], str]:
    """Return how a group's key reads."""
    if group_by == "team":
        return _or_none({str(pk): name for pk, name in Team.objects.values_list("pk", "name")}, _("No team"))
    if group_by == "category":
        return _or_none(dict(Category.objects.values_list("slug", "name")), _("No category"))
    if group_by == "service":
        return _or_none(dict(Service.objects.filter(slug__in=keys).values_list("slug", "name")), _("No service"))
    if group_by == "severity":
        return _or_none({one.word: str(one.label) for one in Severity}, "")
    if group_by == "priority":
        return lambda key: str(key).upper()
    return str


def _or_none(names: Mapping[str, str], none: str) -> Callable[[Any], str]:
    return lambda key: none if key is None else names.get(str(key), str(key))


def _filter_of(group_by: str | None, key: Any, filters: Filters) -> Filters:
    """Return what narrows the list to a group."""
    if group_by in ("category", "service"):
        return {f"has_{group_by}": "false"} if key is None else {group_by: str(key)}
    if group_by == "team":
        return {"team": "none" if key is None else str(key)}
    if group_by in ("severity", "priority"):
        return {group_by: str(key)}
    return _days_of(group_by, str(key), filters) if group_by else {}


def _days_of(group_by: str, key: str, filters: Filters) -> Filters:
    """Return the span of a day, week or month in UTC, within the report's own."""
    first = dt.date.fromisoformat(key if group_by != "month" else f"{key}-01")
    after = {
        "day": first + dt.timedelta(days=1),
        "week": first + dt.timedelta(days=7),
        "month": (first + dt.timedelta(days=32)).replace(day=1),
    }[group_by]
    start, end = (moment_text(dt.datetime.combine(day, dt.time.min, dt.UTC)) for day in (first, after))
    return {
        "created_after": max(start, filters.get("created_after", start)),
        "created_before": min(end, filters.get("created_before", end)),
    }
