"""What must be reached of intake, beside what was."""

from collections.abc import Iterator

from benchmarks import templates
from benchmarks.databases import ENGINES
from benchmarks.intake import workers
from benchmarks.intake.chaos import Chaos, chaos
from benchmarks.intake.loads import KINDS
from benchmarks.intake.measure import IntakeResults, measure
from benchmarks.report import Line, limits_table, number, table
from benchmarks.turns import percentile, rate

PAGE = "performance-intake.md"
INTRODUCTION = """\
# Performance of intake

Written by `make bench`; do not edit. Each limit stands beside what this run measured. Senders post over eight
kept-alive connections to two server processes, while the worker creates alerts and incidents. A rate covers the time
until the last alert is processed; afterwards, all alerts are counted in the database. "Empty view" is an empty Django
view, on this server or on gunicorn's sync workers, whichever is faster. Compared variants are measured in turns, with
all servers running, and the medians of the turns are divided, because a machine's pace drifts."""

PACES = {"quick": (4.0, 20.0), "full": (8.0, 60.0)}  # seconds of each load, and of the kills


def sections(engines: list[str], size: int, bench: str) -> Iterator[tuple[str, list[Line]]]:
    """Yield each part of the page, and the limits in it."""
    seconds, storm = PACES[bench]
    for engine in engines:
        results = measure(engine, size, seconds)
        killed = chaos(engine, storm)
        lines = [*_lines(results, killed), *workers.lines(engine)]
        yield _section(results, killed, lines), lines
    yield _templates_section(), []


def _lines(results: IntakeResults, chaos: Chaos) -> Iterator[Line]:
    """Yield every limit. Rates count until the last alert was processed, not until it was accepted."""
    for what, of_empty, a_second in (("distinct", 0.3, 600), ("own", 0, 150), ("repeated", 0.4, 0)):
        title, found = KINDS[what].title, results.rate(what)
        if of_empty:
            yield Line(title, "÷ empty view", found / results.rate(what, "plain"), of_empty, at_least=True)
        if a_second:
            yield Line(title, "a second", found, a_second, at_least=True)
        of_none = results.rate(what, "stored") / found
        yield Line(title, f"at {results.size:,} stored ÷ at none", of_none, 0.8, at_least=True)
    for what, a_second in (("posts repeated", 5000), ("posts distinct", 1500)):
        yield Line(KINDS[what].title, "alerts a second", results.rate(what), a_second, at_least=True)
    lines = results.lines
    yield Line("log lines in batches of 500", "÷ bare batch INSERT", lines["api"] / lines["bare"], 0.5, at_least=True)
    lost = 1 - lines["with rules"] / lines["api"]
    yield Line("1,000 rules enabled", "share of the lines a second lost", lost, 0.2)
    for percent, limit in ((50, 200), (99, 1000)):
        took = results.visible.percentile(percent)
        yield Line("2xx to incident visible, 100 events a second", f"p{percent}, ms", took, limit)
    yield Line("counts not as sent, after all loads", "number", len(results.wrong), 0)
    yield Line(f"kill -9 of everything, {chaos.kills} times under load", "events lost or doubled", len(chaos.wrong), 0)


def _section(results: IntakeResults, chaos: Chaos, lines: list[Line]) -> str:
    rows = [
        [kind.title, *(number(found) for name in ("none", "stored") for found in _figures(results, what, name))]
        for what, kind in KINDS.items()
    ]
    header = ["load", "processed/s", "accepted/s", "p50 ms", "p99 ms"]
    header += [f"{name} at {results.size:,}" for name in header[1:]]
    plain = " and ".join(f"{number(found)} ({name})" for name, found in results.plain.items())
    return "\n\n".join(
        [
            f"## {ENGINES[results.engine]}, intake of alerts",
            limits_table(lines),
            table(header, rows),
            f"An empty Django view a second: {plain}. Log lines a second: {number(results.lines['api'])} over the API, "
            f"{number(results.lines['with rules'])} with 1,000 rules, {number(results.lines['bare'])} by a bare INSERT "
            f"of the same rows in the same batches by one process. Under the kills {sum(chaos.answered.values()):,} "
            f"events were answered 2xx and {sum(chaos.unknown.values()):,} got no answer; each of those may have been "
            "taken or not.",
            *(f"- {fault}" for fault in [*results.wrong, *chaos.wrong][:10]),
        ]
    )


def _figures(results: IntakeResults, what: str, name: str) -> list[float]:
    turns = results.turns[what][name]
    accepted = rate([sent.measured for sent in turns]) * KINDS[what].alerts
    return [results.rate(what, name), accepted, percentile(turns, 50), percentile(turns, 99)]


def _templates_section() -> str:
    """Return how rightly alike log lines are grouped; or why that was not measured."""
    heading = "## Grouping log lines by template"
    found = templates.results()
    if not found:
        return f"{heading}\n\nNot measured: the samples of loghub are not here."
    rows = [
        [one.dataset, number(one.accuracy), str(one.templates), str(one.expected), number(one.lines_per_second)]
        for one in found
    ]
    header = ["sample of loghub, 2,000 lines", "grouping accuracy", "templates", "labelled by hand", "lines/s"]
    return "\n\n".join(
        [
            heading,
            "Grouping accuracy: the share of lines whose group holds exactly the lines of the same `EventId`.",
            table(header, rows),
        ]
    )
