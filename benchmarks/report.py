"""The pages: what was measured, beside what must be reached, and on which machine."""

import datetime as dt
import os
import platform
import sqlite3
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.databases import ROOT
from benchmarks.server import CONNECTIONS, PROCESSES, client_ceiling


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
        """Return a row of the table."""
        sign = "≥" if self.at_least else "≤"
        verdict = "PASS" if self.is_reached else "**MISSED**"
        return [self.what, self.measure, number(self.value), f"{sign} {number(self.limit)}", verdict]


def number(value: float) -> str:
    """Return three significant digits, thousands separated."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table that can be read as text, too."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    head, *made = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [header, *rows]
    ]
    return "\n".join([head, "|" + "|".join("-" * (width + 2) for width in widths) + "|", *made])


def limits_table(lines: list[Line]) -> str:
    """Return what must be reached, and whether it is."""
    return table(["what", "measured as", "value", "limit", ""], [line.cells() for line in lines])


def machine(ceiling: float) -> str:
    """Return what it ran on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("Django", "djangorestframework", "uvicorn", "gunicorn"))
    return "\n".join(
        [
            f"- {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {platform.platform()}",
            f"- {_field('/proc/cpuinfo', 'model name') or platform.processor()}, {os.cpu_count()} cores, "
            f"{int((_field('/proc/meminfo', 'MemTotal') or '0').split()[0]) / 1e6:.0f} GB memory",
            f"- Python {platform.python_version()}, {packages}, SQLite {sqlite3.sqlite_version}, "
            f"MariaDB by {_driver()}",
            f"- {PROCESSES} server processes, client beside it on the same machine with {CONNECTIONS} kept-alive "
            f"connections (1 for metrics, summary and export); the client alone manages {number(ceiling)} requests "
            "per second",
        ]
    )


def _driver() -> str:
    """Return what speaks to MariaDB: PyMySQL, in Python, or mysqlclient, in C."""
    import MySQLdb

    return "PyMySQL" if MySQLdb.__name__ == "pymysql" else "mysqlclient"


def _field(path: str, name: str) -> str | None:
    """Return a value of /proc's `name : value` files."""
    if not Path(path).exists():
        return None
    found = (line.partition(":")[2].strip() for line in Path(path).read_text().splitlines() if line.startswith(name))
    return next(found, None)


def write(page: str, introduction: str, parts: list[str]) -> None:
    """Write the whole page into docs/."""
    text = "\n\n".join([introduction, machine(client_ceiling()), *parts])
    (ROOT / "docs" / page).write_text(f"{text}\n", encoding="utf-8")
