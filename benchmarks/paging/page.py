"""What must be reached of paging, beside what was."""

from collections.abc import Iterator

from benchmarks.databases import ENGINES
from benchmarks.paging.measure import PER_SECOND, PagingResults, Scale, measure
from benchmarks.report import Line, limits_table, number

PAGE = "performance-paging.md"
INTRODUCTION = """\
# Performance of paging

Written by `make bench`; do not edit. Each limit stands beside what this run measured, on a database made anew for each
figure. Mails go to aiosmtpd and webhooks to a small asyncio server, as processes on the same machine. A sink's own
limit is what four processes that do nothing but send get through, over as many connections as four workers have. Times
are read from the ledger. `make chaos` shows that no page is lost."""

SCALES = {
    "quick": Scale(8.0, steps=1000, idle=1000, storm=500, sent=600, schedules=100),
    "full": Scale(20.0),
}


def sections(engines: list[str], size: int, bench: str) -> Iterator[tuple[str, list[Line]]]:
    """Yield each part of the page, and the limits in it."""
    for engine in engines:
        results = measure(engine, SCALES[bench])
        lines = list(_lines(results))
        yield _section(results, lines), lines


def _lines(results: PagingResults) -> Iterator[Line]:
    scale = results.scale
    for percent, limit in ((50, 150), (99, 1000)):
        what = f"incident committed to first attempt, {PER_SECOND} a second"
        yield Line(what, f"p{percent}, ms", results.latency.percentile(percent), limit)
    yield Line(f"{scale.steps:,} steps due at once", "s, until all deliveries are committed", results.steps_seconds, 20)
    yield Line(f"{scale.idle:,} idle escalations", "statements a second", results.idle["paging"], 5)
    yield Line("half of four workers killed", "s, until what they sent is sent", results.resumed["seconds"], 30)
    for kind, what in (("smtp", "deliveries by mail"), ("http", "deliveries by webhook")):
        yield Line(f"{what}, one worker", "a second", results.rates[kind, 1], 150, at_least=True)
        share = results.rates[kind, 4] / results.limits[kind]
        yield Line(f"{what}, four workers", "÷ the sink's own limit", share, 0.6, at_least=True)
    change = 100 * (results.beside["hanging"] / results.beside["well"] - 1)
    yield Line("mail beside webhooks that hang", "change of p99, %", change, 10)
    yield Line(f"{scale.storm:,} incidents to one person", "messages", results.storm["mails"], 10)
    uncounted = abs(results.storm["pages"] - scale.storm)
    yield Line(f"{scale.storm:,} incidents to one person", "counted wrongly", uncounted, 0)
    yield Line(f"{scale.storm:,} incidents to one person", "s, until the first attempt", results.storm["first"], 2)
    what = f"who is on call, {scale.schedules} schedules of 5 layers, a year of overrides"
    yield Line(what, "ms each, median", results.on_call["median"], 5)
    yield Line(what, "statements each", results.on_call["queries"], 2)


def _section(results: PagingResults, lines: list[Line]) -> str:
    rates = ", ".join(f"{kind} with {workers}: {number(rate)}" for (kind, workers), rate in results.rates.items())
    limits = ", ".join(f"{kind} {number(limit)}" for kind, limit in results.limits.items())
    return "\n\n".join(
        [
            f"## {ENGINES[results.engine]}, paging",
            limits_table(lines),
            f"Deliveries a second by workers: {rates}; the sinks' own limits: {limits}. All jobs together take "
            f"{number(results.idle['all'])} statements a second while nothing is due. "
            f"{results.resumed['number']:.0f} deliveries were interrupted by the kills. p99 of mails' first attempts: "
            f"{number(results.beside['well'])} ms beside webhooks that are taken, {number(results.beside['hanging'])} "
            f"ms beside ones that hang. All schedules at once: {number(results.on_call['each of all'])} ms each, "
            f"{results.on_call['queries of all']:.0f} statements in all.",
        ]
    )
