"""How fast and how rightly lines of real systems are told apart by their templates."""

import csv
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from logs.templates import Drain

# Samples of loghub (Zhu et al., "Loghub: A Large Collection of System Log Datasets", ISSRE 2023): 2,000 lines of each
# system, labelled by hand.
SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "logs" / "loghub_2k"
RUNS = 5


@dataclass(frozen=True)
class Result:
    """What became of one dataset."""

    dataset: str
    lines_per_second: float
    accuracy: float
    templates: int
    expected: int


def read_sample(folder: Path) -> list[tuple[str, str]]:
    """The (message, event id) pairs of one dataset."""
    path = folder / f"{folder.name}_2k.log_structured.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return [(row["Content"], row["EventId"]) for row in csv.DictReader(lines)]


def grouping_accuracy(found: Sequence[int], expected: Sequence[str]) -> float:
    """The share of lines whose group holds exactly the lines that share their label, as Drain's authors measure it
    (Zhu et al., "Tools and Benchmarks for Automated Log Parsing", ICSE-SEIP 2019): one line too many, or one missing,
    and the whole group counts as wrong."""
    sizes = Counter(expected)
    members: defaultdict[int, list[str]] = defaultdict(list)
    for group, label in zip(found, expected, strict=True):
        members[group].append(label)
    right = sum(
        len(labels) for labels in members.values() if set(labels) == {labels[0]} and sizes[labels[0]] == len(labels)
    )
    return right / len(expected)


def measure(folder: Path) -> Result:
    """Parse a dataset RUNS times, each with an empty tree; the fastest run counts."""
    sample = read_sample(folder)
    best = float("inf")
    for _ in range(RUNS):
        drain = Drain()
        start = time.perf_counter()
        found = [id(drain.add(message)) for message, _label in sample]
        best = min(best, time.perf_counter() - start)
    labels = [label for _message, label in sample]
    return Result(
        folder.name, len(sample) / best, grouping_accuracy(found, labels), len(drain.templates), len(set(labels))
    )


def results() -> list[Result]:
    """One result for each dataset that is there; none where the samples are absent."""
    folders = sorted(path for path in SAMPLES.glob("*") if path.is_dir()) if SAMPLES.is_dir() else []
    return [measure(folder) for folder in folders]
