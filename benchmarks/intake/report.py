"""What must be reached of intake, beside what was."""

from collections.abc import Iterator

from benchmarks import templates
from benchmarks.intake.chaos import Chaos, chaos
from benchmarks.intake.databases import IntakeDatabase
from benchmarks.intake.measure import IntakeResults, in_turns, measure
from benchmarks.measure import client_ceiling
from benchmarks.report import ENGINES, INTAKE_PAGE, Line, number, table, write

INTRODUCTION = """\
# Performance of intake

Written by `make bench`; do not edit. Each limit stands beside what this run measured. Senders post over eight
kept-alive connections to two server processes, while the worker makes alerts and incidents of it. A rate counts until
the last alert was worked off, and afterwards all are counted in the database. "Empty view" is an empty Django view on
the faster of our server and gunicorn's sync workers, in the same run. How rates at many stored alerts compare with
those at none is measured in turns, with the servers of both running, for a machine's pace drifts."""

NAMES = {
    "distinct": "one event a request, distinct alerts over 100 groups",
    "own": "one event a request, each opening an incident of its own",
    "repeated": "one event a request, all duplicates of 100 keys",
    "posts repeated": "Alertmanager posts of 50 alerts, repeats",
    "posts distinct": "Alertmanager posts of 50 alerts, distinct",
}


def run(engines: list[str], size: int, *, is_quick: bool) -> int:
    """Measure intake on the engines, print and write the page; the number of limits missed."""
    seconds, storm = (2.0, 20.0) if is_quick else (8.0, 60.0)
    parts, missed = [], 0
    for engine in engines:
        empty = measure(IntakeDatabase(engine, 0), seconds)
        stored = measure(IntakeDatabase(engine, size), seconds)
        stored.of_none, wrong = in_turns(IntakeDatabase(engine, 0), IntakeDatabase(engine, size), seconds)
        stored.wrong += wrong
        killed = chaos(IntakeDatabase(engine, 0), storm)
        parts.append(section(empty, stored, killed))
        missed += sum(not line.is_reached for line in lines(empty, stored, killed))
        print(f"\n{parts[-1]}\n")
    parts.append(templates_section())
    print(f"\n{parts[-1]}\n")
    write(parts, client_ceiling(), INTRODUCTION, INTAKE_PAGE)
    return missed


def lines(empty: IntakeResults, stored: IntakeResults, chaos: Chaos) -> Iterator[Line]:
    """Every limit. Rates count until the last alert was worked off, not until it was accepted."""
    plain = empty.rates["empty"]
    yield Line(NAMES["distinct"], "÷ empty view", empty.rates["distinct"] / plain, 0.3, at_least=True)
    yield Line(NAMES["distinct"], "a second", empty.rates["distinct"], 600, at_least=True)
    yield Line(NAMES["own"], "a second", empty.rates["own"], 150, at_least=True)
    yield Line(NAMES["repeated"], "÷ empty view", empty.rates["repeated"] / plain, 0.4, at_least=True)
    for what in ("distinct", "own", "repeated"):
        of_none = stored.of_none[what]
        yield Line(NAMES[what], f"at {stored.database.size:,} stored ÷ at none", of_none, 0.8, at_least=True)
    yield Line(NAMES["posts repeated"], "alerts a second", empty.rates["posts repeated"], 5000, at_least=True)
    yield Line(NAMES["posts distinct"], "alerts a second", empty.rates["posts distinct"], 1500, at_least=True)
    lines_a_second, with_rules = empty.rates["lines"], empty.rates["lines with rules"]
    bare = lines_a_second / empty.rates["lines bare"]
    yield Line("log lines in batches of 500", "÷ bare batch INSERT", bare, 0.5, at_least=True)
    yield Line("1,000 rules enabled", "share of the lines a second lost", 1 - with_rules / lines_a_second, 0.2)
    yield Line("2xx to incident visible, 100 events a second", "p50, ms", empty.p50["visible"], 200)
    yield Line("2xx to incident visible, 100 events a second", "p99, ms", empty.p99["visible"], 1000)
    yield Line("counts not as sent, after all loads", "number", len(empty.wrong) + len(stored.wrong), 0)
    yield Line(f"kill -9 of everything, {chaos.kills} times under load", "events lost or doubled", len(chaos.wrong), 0)


def section(empty: IntakeResults, stored: IntakeResults, chaos: Chaos) -> str:
    """One database's part of the page."""
    rows = [
        [NAMES[what], *(number(part) for results in (empty, stored) for part in _figures(results, what))]
        for what in NAMES
    ]
    header = ["load", "worked off/s", "accepted/s", "p50 ms", "p99 ms"]
    header += [f"{name} at {stored.database.size:,}" for name in header[1:]]
    views = ", ".join(
        f"{number(results.rates['empty ours'])} and {number(results.rates['empty gunicorn'])}"
        for results in (empty, stored)
    )
    wrong = [*empty.wrong, *stored.wrong, *chaos.wrong]
    return "\n\n".join(
        [
            f"## {ENGINES[empty.database.engine]}, intake of alerts",
            table(
                ["what", "measured as", "value", "limit", ""], [line.cells() for line in lines(empty, stored, chaos)]
            ),
            table(header, rows),
            f"An empty Django view a second, our server and gunicorn, at none and at {number(stored.database.size)}: "
            f"{views}. Log lines a second: {number(empty.rates['lines'])} over the API, "
            f"{number(empty.rates['lines with rules'])} with 1,000 rules, {number(empty.rates['lines bare'])} by a "
            "bare INSERT of the same rows in the same batches by one process. Under the kills "
            f"{sum(chaos.answered.values()):,} events were answered 2xx and {sum(chaos.unknown.values()):,} got no "
            "answer; each of those may have been taken or not.",
            *(f"- {fault}" for fault in wrong[:10]),
        ]
    )


def _figures(results: IntakeResults, what: str) -> tuple[float, float, float, float]:
    return results.rates[what], results.accepted[what], results.p50[what], results.p99[what]


def templates_section() -> str:
    """How rightly alike log lines are grouped; or why that was not measured."""
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
