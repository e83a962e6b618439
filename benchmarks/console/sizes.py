"""The pages at two sizes: how many queries, and how much longer at a million incidents."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from benchmarks import server
from benchmarks.client import Measured, request
from benchmarks.databases import Database
from benchmarks.report import Line, number, table
from benchmarks.server import Site
from benchmarks.turns import percentile, take_turns

SMALL = 1_000
MOST_QUERIES = 20
MOST_TIMES = 1.5
CONNECTIONS = 2
SECONDS = {"quick": 1.0, "full": 2.0}
TURNS = 6
WARM_UP = 0.3
# What is opened, by title. The incident is one that both data sets have.
PAGES = {
    "dashboard": "/",
    "list, as it opens": "/incidents/?is_open=true&ordering=-severity",
    "list, all incidents": "/incidents/?ordering=-created_at",
    "incident": "/incidents/INC-500/",
}


@dataclass(frozen=True)
class Figures:
    """What one page showed."""

    title: str
    turns: dict[str, list[Measured]]  # by data set, large and small
    queries: int

    def time(self, name: str, percent: int = 50) -> float:
        """Return milliseconds."""
        return percentile(self.turns[name], percent)


def measure(engine: str, size: int, bench: str) -> list[Figures]:
    """Ask for the pages on both data sets in turns."""
    databases = {"large": Database(engine, size), "small": Database(engine, SMALL)}
    with ExitStack() as stack:
        sites = {name: stack.enter_context(server.ours(database)) for name, database in databases.items()}
        cookies = {name: database.inside("console.steps.session")["cookie"] for name, database in databases.items()}
        loads = {
            (title, name): partial(
                site.load, _get(path, cookies[name]), connections=CONNECTIONS, seconds=SECONDS[bench], warm_up=WARM_UP
            )
            for title, path in PAGES.items()
            for name, site in sites.items()
        }
        queries = {title: _queries(sites["large"], path, cookies["large"]) for title, path in PAGES.items()}
        found = take_turns(loads, TURNS)
    return [Figures(title, {name: found[title, name] for name in sites}, queries[title]) for title in PAGES]


def lines(figures: list[Figures]) -> list[Line]:
    """Return what must be reached."""
    found = []
    for page in figures:
        found.append(Line(page.title, "queries", page.queries, MOST_QUERIES))
        ratio = page.time("large") / page.time("small")
        found.append(Line(page.title, f"p50 ÷ that at {SMALL:,}", ratio, MOST_TIMES))
    return found


def times(figures: list[Figures], size: int) -> str:
    """Return the figures behind them."""
    header = ["page", f"p50 ms at {SMALL:,}", f"p50 ms at {size:,}", "p95 ms", "p99 ms"]
    rows = [
        [page.title, *map(number, (page.time("small"), *(page.time("large", percent) for percent in (50, 95, 99))))]
        for page in figures
    ]
    return table(header, rows)


def _get(path: str, cookie: str, more: str = "") -> bytes:
    return request("GET", path, headers=f"Cookie: {cookie}\r\nAccept-Encoding: gzip\r\n{more}")


def _queries(site: Site, path: str, cookie: str) -> int:
    site.ask(_get(path, cookie))  # what a process looks up once
    return int(site.ask(_get(path, cookie, "X-Count-Queries: 1\r\n")).headers["x-query-count"])
