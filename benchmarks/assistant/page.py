"""What must be reached of suggestions, beside what was."""

from collections.abc import Iterator

from benchmarks.assistant import routing
from benchmarks.assistant.offline import offline_sections
from benchmarks.report import Line, limits_table, number, table

PAGE = "performance-assistant.md"
INTRODUCTION = """\
# Performance of suggestions

Written by `make bench`; do not edit. Each limit stands beside what this run measured."""


def sections(engines: list[str], size: int, bench: str) -> Iterator[tuple[str, list[Line]]]:
    """Yield each part of the page, and the limits in it."""
    yield routing_section()
    yield from offline_sections(engines, size)


def routing_section() -> tuple[str, list[Line]]:
    """Return what learning from history reaches."""
    cost = routing.measure_cost()
    lines = [
        Line(f"learn one field from {cost.examples:,} reports", "s", cost.seconds, 60),
        Line(f"learn one field from {cost.examples:,} reports", "most MB", cost.megabytes, 100),
        Line("what is stored of it", "kB", cost.stored, 2_000),
        Line("a suggestion", "p95, ms", cost.suggestion, 20),
    ]
    title = "## Team, category and severity learnt from history"
    if not routing.SAMPLE.exists():
        return "\n\n".join([title, limits_table(lines), f"The sample is not at {routing.SAMPLE.name}."]), lines
    given = routing.task()
    scores = [routing.measure_ours(given), *routing.measure_baselines(given)]
    what = f"the group of {len(given.truth)} incidents, learnt from {len(given.examples):,} before"
    lines[:0] = [
        Line(what, "% right", 100 * scores[0].first, 100 * routing.BASELINE[0], at_least=True),
        Line(what, "% among the first three", 100 * scores[0].three, 100 * routing.BASELINE[1], at_least=True),
    ]
    return "\n\n".join([title, limits_table(lines), _compared(scores), _explained(scores[0])]), lines


def _compared(scores: list[routing.Scores]) -> str:
    rows = [[one.name, f"{100 * one.first:.1f} %", f"{100 * one.three:.1f} %"] for one in scores]
    return table(["by", "right", "among the first three"], rows)


def _explained(ours: routing.Scores) -> str:
    said, right, confidence = (100 * (value or 0) for value in (ours.said, ours.said_right, ours.confidence))
    return (
        f"It was sure enough to suggest a group for {number(said)} % of them: {number(right)} % of these were right, "
        f"its confidence was {number(confidence)} % on average. The sample is ServiceNow's event log (UCI, CC BY 4.0), "
        "which is no part of a clone: `SAMPLE` in `benchmarks/assistant/routing.py` says where it is looked for. "
        "Predicted is the last assignment group that an incident's log names, for the last 30 % by opening; learnt "
        "from are the first 70 %, with the groups that their logs named before the first of the others was opened. "
        "Features are the fields filled in at the opening, of each log's first row, and which of them are empty. "
        "Each choice was made by folds inside the first 70 %; how the last 30 % came out was looked at a few times "
        "on the way. The limits are what a one-hot logistic regression was "
        "measured to reach elsewhere; the plain one above is of this run, on all named fields."
    )
