"""Similar incidents, duplicates and causes: how long they take, and how often they are right."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.assistant import steps
from benchmarks.databases import ENGINES, Database
from benchmarks.incidents.dataset import ensure
from benchmarks.report import Line, limits_table, number, table

EXPLAINED = f"""\
Everything is offline: no model is configured. **Times** are of whole answers of `incidents/{{id}}/suggestions/` (with
authentication), one after the other in one process, for {steps.ASKED} incidents of the history of
[performance.md](performance.md), half of them among its newest, each with {steps.CHANGES} changes and some
{steps.QUIET_LINES + steps.LOUD_LINES} log lines of each of two services. The first of them takes the sample of words.

**Quality** is measured where the right answer is known, on made-up histories: `assistant/tests/corpus.py` (repeats
among {steps.MANY:,} incidents of 30 days, many of which share system and symptom: re-fired alarms, and what people say
again in other words; partial reports, which leave out two of five facts, are shown without a bar) and
`assistant/tests/scenarios.py` ({steps.SCENARIOS:,} planted culprits among 20 changes). Weights were chosen on other
seeds than those measured. Made-up texts are kinder than people's: the shares compare methods, and promise nothing about
your incidents. Baselines choose from the same rows: by chance, the newest, and the most words shared (Jaccard, whole
text)."""


@dataclass(frozen=True)
class Results:
    """Milliseconds, and shares."""

    answer: list[float]
    processor: list[float]
    similar: list[float]
    culprits: dict[str, float]
    repeats: dict[str, float]


def offline_sections(engines: list[str], size: int) -> Iterator[tuple[str, list[Line]]]:
    """Yield each database's part of the page, and the limits in it."""
    culprits: dict[str, float] = Database("sqlite", 0, "assistant").inside("assistant.steps.culprits")
    for engine in engines:
        database = Database(engine, size)
        ensure([database])
        times: dict[str, Any] = database.inside("assistant.steps.times", size)
        empty = Database(engine, steps.MANY, "assistant")
        empty.clear()
        empty.create()
        results = Results(
            times["answer"], times["processor"], times["similar"], culprits, empty.inside("assistant.steps.repeats")
        )
        empty.clear()
        yield _section(engine, size, results), list(_lines(results))


def _lines(results: Results) -> Iterator[Line]:
    repeats, culprits = results.repeats, results.culprits
    yield Line("a whole answer", "p50, ms", _percentile(results.answer, 50), 300)
    yield Line("a whole answer", "p95, ms", _percentile(results.answer, 95), 300)
    yield Line("duplicates among 10,000", "recall@5", repeats["recall"], 0.9, at_least=True)
    yield Line("unrelated reports", "share of silence", repeats["abstained"], 0.9, at_least=True)
    yield Line("culprit among 20 changes", "share named first", culprits["first"], 0.8, at_least=True)
    yield Line("culprit among 20 changes", "share among the first three", culprits["three"], 0.95, at_least=True)


def _section(engine: str, size: int, results: Results) -> str:
    times = [
        [what, *(number(_percentile(found, percent)) for percent in (50, 95, 100)), number(found[0])]
        for what, found in (
            ("whole answer", results.answer),
            ("processor time of it", results.processor),
            ("similar and duplicates alone", results.similar),
        )
    ]
    repeats, culprits = results.repeats, results.culprits
    quality = [
        ["repeats, recall@5", *_shares(repeats, "recall", "by_chance", "by_recency", "by_words")],
        ["of these re-fired", number(repeats["refired"]), "", "", ""],
        ["of these paraphrased", number(repeats["paraphrased"]), "", "", ""],
        ["partial reports (no bar)", number(repeats["partial"]), "", "", ""],
        ["unrelated: nothing said", number(repeats["abstained"]), "", "", ""],
        [
            "culprit first",
            *_shares(culprits, "first", "chance", "newest"),
            f"{number(culprits['own newest'])} (service)",
        ],
        ["culprit in three", number(culprits["three"]), "", number(culprits["newest three"]), ""],
    ]
    return "\n\n".join(
        [
            f"## Similar incidents, duplicates and causes: {ENGINES[engine]}, {size:,} incidents",
            limits_table(list(_lines(results))),
            EXPLAINED,
            f"The machine's load average over five minutes was {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores: "
            "what else runs there lengthens times by the clock, not those of the processor.",
            table(["request", "p50 ms", "p95 ms", "max ms", "first ms"], times),
            table(["quality", "ours", "chance", "newest", "words, or newest of the service"], quality),
        ]
    )


def _shares(found: dict[str, float], *names: str) -> list[str]:
    return [number(found[name]) for name in names]


def _percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
