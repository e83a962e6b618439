"""The table: what was measured, against what must be reached."""

import datetime as dt
import os
import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.databases import ROOT
from benchmarks.measure import CONNECTIONS, Results
from benchmarks.server import PROCESSES

PAGE = ROOT / "docs" / "performance.md"
INTAKE_PAGE = ROOT / "docs" / "performance-intake.md"
ENGINES = {"sqlite": "SQLite", "mariadb": "MariaDB"}
LISTS = ["list", "list open", "list team", "list severity", "list 1000th"]


@dataclass(frozen=True)
class Line:
    """One thing that must be reached. `limit` is the most or (`at_least`) the least that `value` may be."""

    what: str
    measure: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def is_reached(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def cells(self) -> list[str]:
        """As a row of the table."""
        sign = "≥" if self.at_least else "≤"
        verdict = "PASS" if self.is_reached else "**MISSED**"
        return [self.what, self.measure, number(self.value), f"{sign} {number(self.limit)}", verdict]


def lines(large: Results, small: Results) -> Iterator[Line]:
    """Every limit with what was measured: `large` is the data set in question, `small` the one it is compared with."""
    first_page = small.figures["list"].p50
    yield from _lists(large, first_page)
    for key, limit in (("search rare", 50), ("search common", 300)):
        figures = large.figures[key]
        yield Line(figures.title, "p50, ms", figures.p50, limit)
    yield from _with_queries(large, "detail", "empty", 0.12, 10)
    yield from _with_queries(large, "create", "post", 0.15, 12)
    yield from _with_queries(large, "transition", "post", 0.15, 12)
    for key, limit in (("sla all", 1.5), ("sla 30 days", 0.1), ("summary", 0.02)):
        figures = large.figures[key]
        yield Line(figures.title, "p50 ÷ naive aggregate", figures.p50 / large.numbers["naive"], limit)
    yield Line("CSV export of all", "memory growth, MB", large.numbers["export growth"], 50)
    yield Line("CSV export of all", "first byte, ms", large.numbers["export first byte"], 300)
    yield Line("a server process after it all", "memory, MB", large.numbers["memory all"], 200)


def _lists(large: Results, first_page: float) -> Iterator[Line]:
    for key in LISTS:
        if key in large.figures:
            figures = large.figures[key]
            yield Line(figures.title, "p50 ÷ first page at 1,000", figures.p50 / first_page, 1.5)
            yield from _with_queries(large, key, "empty", 0.15, 8)


def _with_queries(results: Results, key: str, yardstick: str, least: float, queries: int) -> Iterator[Line]:
    figures = results.figures[key]
    name = {"empty": "empty view", "post": "DRF POST"}[yardstick]
    yield Line(figures.title, f"throughput ÷ {name}", figures.rate / results.numbers[yardstick], least, at_least=True)
    yield Line(figures.title, "queries", figures.queries or 0, queries)


def number(value: float) -> str:
    """Three significant digits, thousands separated."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table that can be read as text, too."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    made = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    head = "| " + " | ".join(cell.ljust(width) for cell, width in zip(header, widths, strict=True)) + " |"
    return "\n".join([head, "|" + "|".join("-" * (width + 2) for width in widths) + "|", *made])


def limits_table(large: Results, small: Results) -> str:
    """What must be reached, and whether it is."""
    return table(["what", "measured as", "value", "limit", ""], [line.cells() for line in lines(large, small)])


def figures_table(large: Results, small: Results) -> str:
    """The raw figures of both sizes."""
    rows = []
    for key, figures in large.figures.items():
        other = small.figures.get(key)
        cells = [figures.p50, figures.p95, figures.p99, figures.rate]
        rows.append(
            [
                figures.title,
                str(figures.connections),
                *(number(value) for value in cells),
                "" if figures.queries is None else str(figures.queries),
                number(other.p50) if other else "",
                number(other.rate) if other else "",
            ]
        )
    size = f"at {small.database.size:,}"
    header = ["request", "conn.", "p50 ms", "p95 ms", "p99 ms", "req/s", "queries", f"p50 ms {size}", f"req/s {size}"]
    return table(header, rows)


def section(large: Results, small: Results, notes: list[str]) -> str:
    """One database's part of the page."""
    numbers = large.numbers
    return "\n\n".join(
        [
            f"## {ENGINES[large.database.engine]}, {large.database.size:,} incidents",
            limits_table(large, small),
            figures_table(large, small),
            f"Naive aggregate (COUNT and two AVG of timestamp differences by severity, raw SQL, all rows): "
            f"{number(numbers['naive'])} ms. The export is {number(numbers['export megabytes'])} MB in "
            f"{number(numbers['export seconds'])} s; growth of anonymous memory meanwhile "
            f"{number(numbers['export anonymous growth'])} MB. The larger server process at the end: "
            f"{number(numbers['memory all'])} MB resident, of which {number(numbers['memory anonymous'])} MB its own "
            f"and {number(numbers['memory files'])} MB mapped files (programs, and the database where it is a file).",
            *notes,
        ]
    )


def machine(ceiling: float) -> str:
    """What it ran on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("Django", "djangorestframework", "uvicorn", "gunicorn"))
    return "\n".join(
        [
            f"- {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {platform.platform()}",
            f"- {_field('/proc/cpuinfo', 'model name') or platform.processor()}, {os.cpu_count()} cores, "
            f"{int((_field('/proc/meminfo', 'MemTotal') or '0').split()[0]) / 1e6:.0f} GB memory",
            f"- Python {platform.python_version()}, {packages}, SQLite {sqlite3.sqlite_version}",
            f"- {PROCESSES} server processes, client beside it on the same machine with {CONNECTIONS} kept-alive "
            f"connections (1 for metrics, summary and export); the client alone manages {number(ceiling)} requests "
            "per second",
        ]
    )


def _field(path: str, name: str) -> str | None:
    """A value of /proc's `name : value` files."""
    if not Path(path).exists():
        return None
    found = (line.partition(":")[2].strip() for line in Path(path).read_text().splitlines() if line.startswith(name))
    return next(found, None)


INTRODUCTION = """\
# Performance

Written by `make bench`; do not edit. Each limit stands beside what this run measured. The data is three years of
made-up history with sealed timelines (`benchmarks/history.py`), asked for by a responder of two teams. "Empty view" is
an empty DRF view of the same project, and "DRF POST" one that validates twelve fields, each on the faster of our server
and gunicorn's sync workers. Times are as the client saw them. Queries are counted apart from the timing, the one that
authenticates included. The first page at 1,000 is that of the default list."""


def write(parts: list[str], ceiling: float, introduction: str = INTRODUCTION, page: Path = PAGE) -> None:
    """The whole page."""
    page.write_text("\n\n".join([introduction, machine(ceiling), *parts]) + "\n", encoding="utf-8")
