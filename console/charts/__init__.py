"""Charts as plain data: words, links, geometry and the table beneath; the templates in console/charts draw them."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from console.charts.geometry import (
    BAND_WIDTH,
    band_of,
    height_of,
    level_of,
    middle,
    path_of,
    percent,
    runs_of,
    scale_of,
    scale_ticks,
    slot,
    ticks_of,
)
from console.charts.values import FOOT, HEIGHT, Cell, Chart, Column, Empty, Format, Item, Mark, Moment, Point, Series
from core.backoffice.spreadsheets import cell as safe_cell
from core.text.encodings import BYTE_ORDER_MARK

__all__ = [
    "Cell",
    "Chart",
    "Column",
    "Empty",
    "Item",
    "Moment",
    "Point",
    "Series",
    "bars",
    "csv_of",
    "heat_map",
    "level_of",
    "number",
    "scale_of",
    "shares",
    "sparkline",
    "stacked",
    "strip",
    "trend",
]

LOWEST_BAR = 2  # pixels, so that one of many is still seen


def number(value: float) -> str:
    """Return a number with the language's separators."""
    return number_format(round(value), use_l10n=True, force_grouping=True)


def stacked(
    id: str, title: str, series: Sequence[Series], columns: Sequence[Column], *, unit: str, empty: Empty | None = None
) -> Chart:
    """Return columns over time, each stacked of its series, the first at the bottom."""
    totals = [sum(column.values.values()) for column in columns]
    top, steps = scale_of(max(totals, default=0))
    marks: list[Mark] = []
    hits: list[Mark] = []
    for place, (column, total) in enumerate(zip(columns, totals, strict=True)):
        marks += _stack(series, column, *slot(place, len(columns)), top)
        x, width = slot(place, len(columns), gap=0)
        hits.append(Mark(x, 0, width, HEIGHT, "", f"{column.label}: {number(total)}", column.url))
    return Chart(
        id,
        title,
        "stacked",
        _summary_of(unit, totals, [column.label for column in columns]),
        ("", *(one.label for one in series), _("Total")),
        tuple(_stack_row(series, column, total) for column, total in zip(columns, totals, strict=True)),
        marks=tuple(marks),
        hits=tuple(hits),
        across=ticks_of([column.short for column in columns]),
        up=scale_ticks(top, steps, number),
        legend=tuple(one for one in series if any(column.values.get(one.key) for column in columns)),
        empty=None if sum(totals) else empty or _nothing(),
    )


def trend(id: str, title: str, points: Sequence[Point], *, show: Format, empty: Empty | None = None) -> Chart:
    """Return the mean over time as a line, with a band from the median to the 90th percentile."""
    known = [value for point in points for value in (point.mean, point.p50, point.p90) if value is not None]
    top, steps = scale_of(max(known, default=0), base=60)
    places = [middle(place, len(points)) for place in range(len(points))]
    hits = [
        Mark(*_placed(place, len(points)), "", _point_label(point, show), point.url)
        for place, point in enumerate(points)
    ]
    return Chart(
        id,
        title,
        "trend",
        _("Mean, median and 90th percentile of each span of time; the table beneath has all values."),
        ("", _("Mean"), _("Median (p50)"), _("p90"), _("Counted"), _("Pending")),
        tuple(_point_row(point, show) for point in points),
        marks=tuple(_dots(points, places, top)),
        hits=tuple(hits),
        across=ticks_of([point.short for point in points]),
        up=scale_ticks(top, steps, show),
        shapes={
            "band": [band_of(run, top) for run in runs_of(points, places, lambda point: point.p90)],
            "median": [
                path_of(run, top, lambda point: point.p50) for run in runs_of(points, places, lambda one: one.p50)
            ],
            "mean": [
                path_of(run, top, lambda point: point.mean) for run in runs_of(points, places, lambda one: one.mean)
            ],
            "width": BAND_WIDTH,
        },
        empty=None if known else empty or _nothing(),
    )


def bars(
    id: str,
    title: str,
    items: Sequence[Item],
    *,
    header: Sequence[str],
    show: Format = number,
    empty: Empty | None = None,
) -> Chart:
    """Return horizontal bars as rows of a table; `header` names the label, the value and what is in `more`."""
    most = max((item.value for item in items), default=0)
    rows = tuple((Cell(item.label, item.label, item.url), _value_of(item, show), *item.more) for item in items)
    lengths = [percent(100 * item.value / most if most else 0) for item in items]
    drawn = [
        {"label": row[0], "value": row[1], "more": row[2:], "length": length, "tone": item.tone}
        for item, row, length in zip(items, rows, lengths, strict=True)
    ]
    return Chart(
        id, title, "bars", "", tuple(header), rows, shapes={"bars": drawn}, empty=None if most else empty or _nothing()
    )


def shares(
    id: str,
    title: str,
    items: Sequence[Item],
    *,
    header: Sequence[str],
    total: float | None = None,
    empty: Empty | None = None,
) -> Chart:
    """Return horizontal bars with each one's part of the whole, which is their sum unless given."""
    total = sum(item.value for item in items) if total is None else total
    with_parts = [
        Item(item.label, item.value, item.url, item.tone, item.text, (*item.more, _share_cell(item.value, total)))
        for item in items
    ]
    return bars(id, title, with_parts, header=(*header, _("Share")), empty=empty)


def strip(
    id: str,
    title: str,
    moments: Sequence[Moment],
    *,
    unit: str,
    ticks: Sequence[str] = (),
    height: int = 32,
    empty: Empty | None = None,
) -> Chart:
    """Return how much happened when: a narrow row of columns, darker and taller where there was more."""
    most = max((moment.value for moment in moments), default=0)
    marks = []
    for place, moment in enumerate(moments):
        x, width = slot(place, len(moments), gap=0.1)
        tall = max(round(height * moment.value / most), LOWEST_BAR) if moment.value else 0
        label = f"{moment.label}: {moment.text or number(moment.value)}"
        marks.append(Mark(x, height - tall, width, tall, f"level-{level_of(moment.value, most)}", label, moment.url))
    return Chart(
        id,
        title,
        "strip",
        _summary_of(unit, [moment.value for moment in moments], [moment.label for moment in moments]),
        ("", unit),
        tuple((Cell(one.label, one.label, one.url), _number_cell(one.value, one.url)) for one in moments if one.value),
        marks=tuple(marks),
        across=ticks_of(ticks),
        empty=None if most else empty or _nothing(),
        height=height,
        full_height=height + (FOOT if ticks else 0),
    )


def heat_map(
    id: str, title: str, header: Sequence[str], rows: Mapping[str, Sequence[Moment]], *, empty: Empty | None = None
) -> Chart:
    """Return a table whose cells are the darker the higher they are; the numbers stay readable."""
    most = max((moment.value for moments in rows.values() for moment in moments), default=0)
    drawn = [
        {
            "label": label,
            "cells": [(_moment_cell(moment), level_of(moment.value, most), moment.label) for moment in moments],
        }
        for label, moments in rows.items()
    ]
    table = tuple((Cell(label, label), *map(_moment_cell, moments)) for label, moments in rows.items())
    return Chart(
        id, title, "heat", "", tuple(header), table, shapes={"rows": drawn}, empty=None if most else empty or _nothing()
    )


def sparkline(values: Sequence[float], label: str) -> dict[str, object]:
    """Return a small line without axes for console/charts/_spark.html; `label` says it in words."""
    most = max(values, default=0) or 1
    steps = max(len(values) - 1, 1)
    points = [(100 * place / steps, 22 - 20 * value / most) for place, value in enumerate(values)]
    return {"label": label, "path": " ".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(points))}


def _nothing() -> Empty:
    return Empty(_("Nothing to show."))


def csv_of(chart: Chart) -> str:
    """Return a chart's table as CSV that spreadsheets open without running formulas."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow([safe_cell(name) for name in chart.header])
    writer.writerows([safe_cell(cell.value) for cell in row] for row in chart.rows)
    return BYTE_ORDER_MARK + out.getvalue()


def _placed(place: int, count: int) -> tuple[str, int, str, int]:
    x, width = slot(place, count, gap=0)
    return x, 0, width, HEIGHT


def _stack(series: Sequence[Series], column: Column, x: str, width: str, top: float) -> Iterator[Mark]:
    floor = 0.0
    for one in series:
        if not (value := column.values.get(one.key, 0)):
            continue
        below, floor = floor, floor + value
        high, low = (round(HEIGHT * (1 - level / top)) for level in (floor, below))
        label = f"{column.label}, {one.label}: {number(value)}"
        tall = max(low - high, LOWEST_BAR)
        yield Mark(x, low - tall, width, tall, one.tone, label, column.urls.get(one.key) or column.url)


def _stack_row(series: Sequence[Series], column: Column, total: int) -> tuple[Cell, ...]:
    parts = (_number_cell(column.values.get(one.key, 0), column.urls.get(one.key, "")) for one in series)
    return Cell(column.label, column.label), *parts, _number_cell(total, column.url)


def _number_cell(value: float, url: str) -> Cell:
    return Cell(number(value), value, url if value else "")


def _moment_cell(moment: Moment) -> Cell:
    return Cell(moment.text or number(moment.value), moment.value, moment.url if moment.value else "")


def _value_of(item: Item, show: Format) -> Cell:
    return Cell(item.text or show(item.value), item.value, item.url if item.value else "")


def _share_cell(value: float, total: float) -> Cell:
    share = 100 * value / total if total else 0
    digits = 0 if share >= 10 or not share else 1
    # rounded first: number_format cuts
    return Cell(_("%(share)s %%") % {"share": number_format(round(share, digits), digits)}, round(share, 2))


def _point_label(point: Point, show: Format) -> str:
    if point.mean is None:
        return _("%(when)s: none") % {"when": point.label}
    return _("%(when)s: mean %(mean)s, median %(p50)s, p90 %(p90)s of %(count)s") % {
        "when": point.label,
        "mean": show(point.mean),
        "p50": show(point.p50 or 0),
        "p90": show(point.p90 or 0),
        "count": number(point.count),
    }


def _point_row(point: Point, show: Format) -> tuple[Cell, ...]:
    values = (point.mean, point.p50, point.p90)
    shown = (Cell("—") if value is None else Cell(show(value), round(value)) for value in values)
    counts = _number_cell(point.count, point.url), _number_cell(point.pending, point.pending_url)
    return Cell(point.label, point.label), *shown, *counts


def _dots(points: Sequence[Point], places: Sequence[float], top: float) -> Iterator[Mark]:
    for point, place in zip(points, places, strict=True):
        if point.mean is not None:
            yield Mark(percent(100 * place), height_of(point.mean, top), "", 0, "mean", "", "")


def _summary_of(unit: str, values: Sequence[float], labels: Sequence[str]) -> str:
    if not sum(values):
        return _("None.")
    most = max(range(len(values)), key=values.__getitem__)
    return _("%(unit)s: %(total)s in all; most in %(when)s, with %(most)s.") % {
        "unit": unit,
        "total": number(sum(values)),
        "when": labels[most],
        "most": number(values[most]),
    }
