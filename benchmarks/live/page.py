"""What must be reached of the pages' streams, beside what was."""

from collections.abc import Iterator

from benchmarks.databases import ENGINES
from benchmarks.live.measure import LiveResults, Scale, measure, percentile
from benchmarks.report import Line, limits_table, number

PAGE = "performance-live.md"
INTRODUCTION = """\
# Performance of live pages

Written by `make bench`; do not edit. Each limit stands beside what this run measured, on a database made anew, with one
server process, one worker, and a reader of all streams on the same machine. Each stream is another person's. Committed
is when the event was received, some milliseconds before the commit. Streams come back as the browser's script does:
after the time that the server gave each, then more and more rarely. Incidents are reported by another process, so that
nothing wakes the worker early."""

SCALES = {"quick": Scale(streams=200, reports=20, reports_while_killed=20), "full": Scale()}


def sections(engines: list[str], size: int, bench: str) -> Iterator[tuple[str, list[Line]]]:
    """Yield each part of the page, and the limits in it."""
    for engine in engines:
        results = measure(engine, SCALES[bench])
        lines = list(_lines(results))
        yield _section(results, lines), lines


def _lines(results: LiveResults) -> Iterator[Line]:
    what = f"{results.scale.streams:,} streams on one process"
    yield Line(what, "committed to seen, p50, ms", percentile(results.milliseconds, 50), 400)
    yield Line(what, "committed to seen, p99, ms", percentile(results.milliseconds, 99), 1200)
    yield Line(what, "MB of the process", results.megabytes, 200)
    yield Line(what, "events not seen", results.unseen, 0)
    killed = "server killed under them"
    yield Line(killed, "attempts to connect in one second", results.attempts_a_second, results.scale.streams * 0.6)
    yield Line(killed, "s, from the first stream back to the last", results.back_seconds, 20)
    yield Line(killed, "events missed", results.missed, 0)
    yield Line(killed, "events repeated", results.repeated, 0)


def _section(results: LiveResults, lines: list[Line]) -> str:
    alone = ", ".join(f"p{percent} {number(percentile(results.alone, percent))} ms" for percent in (50, 99))
    crowd, one = percentile(results.milliseconds, 50), percentile(results.alone, 50)
    return "\n\n".join(
        [
            f"## {ENGINES[results.engine]}, live",
            limits_table(lines),
            f"{len(results.milliseconds):,} deliveries were timed, an incident each {results.scale.each_seconds} s. "
            f"With one stream alone: {alone}; with all of them, p50 is {number(crowd / one)} times that. The first "
            f"stream was back {number(results.first_seconds)} s after the kill, when a new process served.",
        ]
    )
