"""What must be reached of incidents, beside what was."""

from collections.abc import Iterator

from benchmarks.databases import ENGINES, Database
from benchmarks.incidents.dataset import ensure
from benchmarks.incidents.measure import PACES, SMALL, Figures, Results, measure
from benchmarks.report import Line, limits_table, number, table

PAGE = "performance.md"
INTRODUCTION = """\
# Performance

Written by `make bench`; do not edit. Each limit stands beside what this run measured. The data is three years of
synthetic history with sealed timelines (`benchmarks/incidents/history.py`), requested by a responder of two teams.
"Empty view" is an empty DRF view of the same project, and "DRF POST" one that validates twelve fields; each runs on
this server and on gunicorn's sync workers, and the faster of the two counts. The first page at 1,000 is that of the
default list. Compared variants are measured in turns, with all servers running, and the medians of the turns are
divided, because a machine's pace drifts. Times are measured at the client. Queries are counted in a separate run,
including the one that authenticates."""

FULL_SIZE = 1_000_000
# The most that p50 ÷ naive aggregate may be at a million: a part that grows as the aggregate does, and a fixed part,
# which any request takes and which weighs more, the fewer rows the aggregate has to read.
OF_NAIVE = {"sla all": (1.48, 0.02), "sla 30 days": (0.09, 0.01), "summary": (0.0, 0.02)}


def make_data(engines: list[str], size: int) -> None:
    """Make the data sets where they are missing."""
    for wanted in (SMALL, size):
        ensure([Database(engine, wanted) for engine in engines])


def sections(engines: list[str], size: int, bench: str) -> Iterator[tuple[str, list[Line]]]:
    """Yield each database's part of the page, and the limits in it."""
    make_data(engines, size)
    for engine in engines:
        results = measure(engine, size, PACES[bench])
        yield _section(results), list(_lines(results))


def _lines(results: Results) -> Iterator[Line]:
    figures, numbers = results.figures, results.numbers
    for key in ("list", "list open", "list team", "list severity", "list 1000th"):
        if key in figures:
            asked = figures[key]
            yield Line(asked.title, f"p50 ÷ first page at {SMALL:,}", asked.time() / asked.time("first"), 1.5)
            yield from _with_queries(asked, "empty", 0.15, 8)
    for key, limit in (("search rare", 50.0), ("search common", 300.0)):
        yield Line(figures[key].title, "p50, ms", figures[key].time(), limit)
    yield from _with_queries(figures["detail"], "empty", 0.12, 10)
    yield from _with_queries(figures["create"], "post", 0.15, 12)
    yield from _with_queries(figures["transition"], "post", 0.15, 12)
    for key, (growing, fixed) in OF_NAIVE.items():
        limit = growing + fixed * FULL_SIZE / results.database.size
        asked = figures[key]
        yield Line(asked.title, "p50 ÷ naive aggregate", asked.time() / asked.time("naive"), limit)
    yield Line("CSV export of all", "memory growth, MB", numbers["export growth"], 50)
    yield Line("CSV export of all", "first byte, ms", numbers["export first byte"], 300)
    yield Line("a server process after it all", "memory, MB", numbers["memory all"], 200)


def _with_queries(asked: Figures, yardstick: str, least: float, queries: int) -> Iterator[Line]:
    name = {"empty": "empty view", "post": "DRF POST"}[yardstick]
    yield Line(asked.title, f"throughput ÷ {name}", asked.rate() / asked.rate(yardstick), least, at_least=True)
    yield Line(asked.title, "queries", asked.queries or 0, queries)


def _section(results: Results) -> str:
    numbers = {name: number(value) for name, value in results.numbers.items()}
    naive = number(results.figures["summary"].time("naive"))
    return "\n\n".join(
        [
            f"## {ENGINES[results.database.engine]}, {results.database.size:,} incidents",
            limits_table(list(_lines(results))),
            _figures_table(results),
            f"Naive aggregate (COUNT and two AVG of timestamp differences by severity, raw SQL, all rows): {naive} ms. "
            f"The export is {numbers['export megabytes']} MB in {numbers['export seconds']} s; growth of anonymous "
            f"memory meanwhile {numbers['export anonymous growth']} MB. The larger server process at the end: "
            f"{numbers['memory all']} MB resident, of which {numbers['memory anonymous']} MB its own and "
            f"{numbers['memory files']} MB mapped files (programs, and the database where it is a file).",
        ]
    )


def _figures_table(results: Results) -> str:
    rows = []
    for asked in results.figures.values():
        small = [asked.time("small"), asked.rate("small")] if "small" in asked.turns else []
        cells = [*(asked.time(percent=percent) for percent in (50, 95, 99)), asked.rate()]
        queries = "" if asked.queries is None else str(asked.queries)
        row = [asked.title, str(asked.connections), *map(number, cells), queries, *map(number, small)]
        rows.append([*row, *[""] * (9 - len(row))])
    size = f"at {SMALL:,}"
    header = ["request", "conn.", "p50 ms", "p95 ms", "p99 ms", "req/s", "queries", f"p50 ms {size}", f"req/s {size}"]
    return table(header, rows)
