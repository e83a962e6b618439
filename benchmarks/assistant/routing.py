"""Route the ServiceNow sample by what was known at the opening, and learn from 100,000 reports.

The target is the last assignment group that an incident's log names. Incidents are ordered by opening time; the last
30 % are predicted, by one training on the first 70 % with the groups that their logs named before the first of the last
30 % was opened. Of the log's rows, only each incident's first one is read for features, and of its columns only those
that are filled in at the opening.
"""

import csv
import datetime as dt
import gzip
import math
import random
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from assistant.learning.features import features_of
from assistant.learning.learner import MOST, Learnt, learn
from assistant.learning.packing import keyed, pack, unpack
from assistant.learning.softmax import probabilities
from benchmarks.databases import ROOT

SAMPLE = ROOT.parent / "shared" / "data" / "incidents" / "servicenow_sample.csv.gz"
KNOWN_AT_OPENING = (
    *("contact_type", "location", "category", "subcategory", "u_symptom", "impact", "urgency", "priority"),
    *("caller_id", "opened_by", "sys_created_by", "notify"),
)
SPLIT = 0.7
MISSING = "?"
BASELINE = 0.556, 0.794  # one-hot logistic regression as measured elsewhere: accuracy, first three
KEY = b"benchmark"


@dataclass(frozen=True)
class Opened:
    """An incident's opening, and its groups as the log names them over time."""

    at: dt.datetime
    fields: dict[str, str]
    groups: list[tuple[dt.datetime, str]]

    @property
    def features(self) -> list[str]:
        return features_of("", "", self.fields)

    def group_at(self, moment: dt.datetime) -> str | None:
        return next((group for at, group in reversed(self.groups) if at < moment), None)


@dataclass(frozen=True)
class Scores:
    """Accuracy, share among the first three; of those sure enough to be said: share, accuracy, mean confidence."""

    name: str
    first: float
    three: float
    said: float | None = None
    said_right: float | None = None
    confidence: float | None = None


def read(path: Path = SAMPLE) -> list[Opened]:
    """Return the incidents of the log by opening time."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found: dict[str, Opened] = {}
        for row in csv.DictReader(file):
            if row["number"] not in found:
                fields = {name: row[name] if row[name] != MISSING else "" for name in KNOWN_AT_OPENING}
                found[row["number"]] = Opened(_time(row["opened_at"]), fields, [])
            if row["assignment_group"] != MISSING:
                found[row["number"]].groups.append((_time(row["sys_updated_at"]), row["assignment_group"]))
    ordered = sorted(found.items(), key=lambda one: (one[1].at, one[0]))
    return [one for _number, one in ordered]


def _time(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Task:
    """What is known before the last 30 %, and what those became."""

    examples: list[list[str]]
    labels: list[str]
    truth: list[tuple[list[str], str]]


def task() -> Task:
    """Return the sample, split by time."""
    incidents = read()
    cut = int(len(incidents) * SPLIT)
    earlier, later = incidents[:cut], incidents[cut:]
    known = [(one.features, group) for one in earlier if (group := one.group_at(later[0].at)) is not None]
    truth = [(one.features, one.groups[-1][1]) for one in later if one.groups]
    return Task([features for features, _ in known], [group for _, group in known], truth)


def measure_ours(given: Task) -> Scores:
    """Return how well our own learner predicts."""
    learnt = learn(given.examples, given.labels)
    if learnt is None:
        raise AssertionError("The sample teaches something.")
    return _score_ours(learnt, given.truth)


def measure_baselines(given: Task) -> list[Scores]:
    """Return how well simpler ways predict; they are not told what is missing."""
    plain = [[one for one in features if "=" in one] for features in given.examples]
    most = [group for group, _ in Counter(given.labels).most_common(3)]
    ways = {
        "one-hot logistic regression, plain": _plain_regression(plain, given.labels),
        "naive Bayes": _naive_bayes(plain, given.labels),
        "the most frequent groups": lambda features: most,
    }
    return [_score(name, best, given.truth) for name, best in ways.items()]


def _score_ours(learnt: Learnt[str], truth: Sequence[tuple[list[str], str]]) -> Scores:
    ranked = [(learnt.rank(features), group) for features, group in truth]
    said = [(one[0], group) for one, group in ranked if learnt.is_sure(one[0])]
    return Scores(
        "learnt",
        sum(one[0].label == group for one, group in ranked) / len(ranked),
        sum(any(each.label == group for each in one) for one, group in ranked) / len(ranked),
        len(said) / len(ranked),
        sum(one.label == group for one, group in said) / len(said),
        sum(one.confidence for one, _ in said) / len(said),
    )


def _score(name: str, best: Callable[[list[str]], list[str]], truth: Sequence[tuple[list[str], str]]) -> Scores:
    ranked = [(best(features)[:3], group) for features, group in truth]
    right = sum(one[0] == group for one, group in ranked)
    return Scores(name, right / len(ranked), sum(group in one for one, group in ranked) / len(ranked))


def _plain_regression(
    examples: Sequence[list[str]], labels: Sequence[str], passes: int = 40
) -> Callable[[list[str]], list[str]]:
    """Return a softmax regression by plain stochastic gradient descent with an L2 penalty of 1 over all examples."""
    classes = sorted(set(labels))
    rows = {feature: [0.0] * len(classes) for one in examples for feature in one}
    biases, order, penalty = [0.0] * len(classes), list(range(len(examples))), 1 / len(examples)
    mixed = random.Random(1)
    for number in range(passes):
        rate = 0.5 / (1 + number)
        mixed.shuffle(order)
        for place in order:
            own = [rows[feature] for feature in examples[place]]
            errors = probabilities([sum(column) for column in zip(biases, *own, strict=True)])
            errors[classes.index(labels[place])] -= 1
            for row in own:
                row[:] = [weight - rate * (error + penalty * weight) for weight, error in zip(row, errors, strict=True)]
            biases[:] = [weight - rate * error for weight, error in zip(biases, errors, strict=True)]

    def best(features: list[str]) -> list[str]:
        known = [rows[feature] for feature in features if feature in rows]
        scores = [sum(column) for column in zip(biases, *known, strict=True)]
        return [classes[number] for number in sorted(range(len(classes)), key=lambda number: -scores[number])]

    return best


def _naive_bayes(examples: Sequence[list[str]], labels: Sequence[str]) -> Callable[[list[str]], list[str]]:
    shares, seen = Counter(labels), Counter(feature for one in examples for feature in one)
    together = Counter((feature, label) for one, label in zip(examples, labels, strict=True) for feature in one)

    def score(label: str, features: list[str]) -> float:
        likely = (
            (together[feature, label] + seen[feature] / len(labels)) / (shares[label] + 1) * len(labels) / seen[feature]
            for feature in features
            if feature in seen
        )
        return math.log(shares[label]) + sum(map(math.log, likely))

    return lambda features: sorted(shares, key=lambda label: -score(label, features))


@dataclass(frozen=True)
class Cost:
    """Of learning from many reports: seconds, most megabytes; kilobytes stored; milliseconds of one suggestion, p95."""

    examples: int
    learnt_from: int
    seconds: float
    megabytes: float
    stored: float
    suggestion: float


def measure_cost(number: int = 100_000) -> Cost:
    """Return what it costs to learn one field of 40 values from so many made-up reports of 30 words."""
    shuffled = random.Random(5)
    words = [f"word{number}" for number in range(20_000)]
    typical = [[shuffled.choice(words) for _ in range(40)] for _ in range(40)]
    labels = [min(39, int(shuffled.expovariate(0.15))) for _ in range(number)]

    def text(label: int) -> str:
        own = [shuffled.choice(typical[label]) for _ in range(6)]
        return " ".join([*own, *(shuffled.choice(words) for _ in range(24))])

    examples = [
        keyed(features_of("", text(label), {"location": f"place {label % 7}"}), KEY) for label in labels[-MOST:]
    ]
    examples = [["never read"]] * (number - len(examples)) + examples
    began = time.perf_counter()
    learnt = learn(examples, labels)
    seconds = time.perf_counter() - began
    assert learnt is not None
    packed = pack({"team": learnt})
    again = unpack(packed)["team"]
    times = [
        _timed(lambda label=label: again.rank(keyed(features_of("A title", text(label), {}), KEY)))
        for label in labels[:200]
    ]
    tracemalloc.start()
    learn(examples, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    p95 = sorted(times)[int(len(times) * 0.95)]
    assert median(times) <= p95
    return Cost(number, learnt.figures.examples, seconds, peak / 1e6, len(packed) / 1e3, 1000 * p95)


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
