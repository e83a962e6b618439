"""What must be reached of the console's pages, beside what was."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.console import sizes
from benchmarks.databases import ENGINES, KEYS, ROOT, SETTINGS, Database
from benchmarks.incidents.dataset import ensure
from benchmarks.report import Line, limits_table

PAGE = "performance-console.md"
INTRODUCTION = """\
# Performance of the console

Written by `make bench ONLY=console`; do not edit. Each limit stands beside what this run measured. Times are measured
at the client, over two kept-alive connections, on the data of docs/performance.md, as a responder of two teams; both
data sets are asked in turns, and the medians of the turns are compared. Weights are all bytes that the server sends,
heads included, on a first visit in Chromium with an empty cache. Lighthouse runs as on a phone, with simulated
throttling; of three runs the median counts."""

Section = tuple[str, list[Line]]


def sections(engines: list[str], size: int, bench: str) -> Iterator[Section]:
    """Yield each part of the page, and the limits in it."""
    for engine in engines:
        ensure([Database(engine, sizes.SMALL)])
        ensure([Database(engine, size)])
        figures = sizes.measure(engine, size, bench)
        title = f"{ENGINES[engine]}, {size:,} incidents"
        yield _section(title, sizes.lines(figures), sizes.times(figures, size))
    for part in _browsing():
        yield _section(part["title"], [Line(**line) for line in part["lines"]], part["note"])


def _browsing() -> list[dict[str, object]]:
    """Return the sections of `benchmarks.console.browsing`, whose server has nothing of these data sets."""
    environment = {name: value for name, value in os.environ.items() if name not in {*KEYS, *SETTINGS, "DATABASE_URL"}}
    command = [sys.executable, "-m", "benchmarks.console.browsing"]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    sections: list[dict[str, object]] = json.loads(done.stdout)
    return sections


def _section(title: str, lines: list[Line], note: str) -> Section:
    parts = [f"## {title}", *([limits_table(lines)] if lines else []), *([note] if note else [])]
    return "\n\n".join(parts), lines
