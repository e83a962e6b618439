"""Softmax regression over sparse binary features, by stochastic gradient descent with an L2 penalty.

Chosen by measurement on the first 70 % of a public sample of incidents: naive Bayes (plain, tempered, forgetting),
averaged posteriors per field, steps by AdaGrad, pairs of fields and mixtures were worse or no better; see
docs/routing.md.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Label = TypeVar("Label", bound=Hashable)

PENALTY = 1.0  # over all examples
RATE = 0.25  # of the first pass; later ones take smaller steps
MIN_STEP = 0.001  # smaller gradients are left out: few classes are near for most examples
MIN_SEEN = 2  # examples that have a feature; one alone says little of others
MAX_WEIGHTS = 400_000  # features times classes, about 15 MB while training
VISITS = 60_000  # examples times passes
MIN_PASSES, MAX_PASSES = 3, 8
SEED = 7
PAUSE_EVERY = 50  # examples, some milliseconds


@dataclass(frozen=True)
class Weights(Generic[Label]):
    """What was learnt: of each class its bias, of each feature one weight per class."""

    classes: tuple[Label, ...]
    biases: list[float]
    rows: dict[str, list[float]]

    def scores(self, features: Sequence[str]) -> list[float]:
        """Return a score per class; unknown features say nothing."""
        known = [row for feature in features if (row := self.rows.get(feature)) is not None]
        return [sum(column) for column in zip(self.biases, *known, strict=True)]


def train(
    examples: Sequence[Sequence[str]], labels: Sequence[Label], *, pause: Callable[[], None] = lambda: None
) -> Weights[Label]:
    """Learn from examples; time and memory are bounded by VISITS and MAX_WEIGHTS."""
    seen = Counter(labels)
    classes = tuple(sorted(seen, key=lambda label: (-seen[label], str(label))))
    numbers = {label: number for number, label in enumerate(classes)}
    known = _vocabulary(examples, len(classes))
    weights = Weights(
        classes, [math.log(seen[label]) for label in classes], {one: [0.0] * len(classes) for one in known}
    )
    inputs = [[one for one in example if one in weights.rows] for example in examples]
    order = list(range(len(inputs)))
    shuffled = random.Random(SEED)  # noqa: S311 (the same order each time)
    for number in range(max(MIN_PASSES, min(MAX_PASSES, VISITS // max(1, len(inputs))))):
        shuffled.shuffle(order)
        rate = RATE / (1 + number)
        for done, place in enumerate(order):
            if done % PAUSE_EVERY == 0:
                pause()
            _learn(weights, inputs[place], numbers[labels[place]], rate, PENALTY / len(inputs))
    return weights


def _vocabulary(examples: Sequence[Sequence[str]], classes: int) -> list[str]:
    counts = Counter(feature for example in examples for feature in example)
    most = counts.most_common(MAX_WEIGHTS // max(1, classes))
    return [feature for feature, count in most if count >= MIN_SEEN]


def _learn(weights: Weights[Label], features: Sequence[str], label: int, rate: float, penalty: float) -> None:
    errors = probabilities(weights.scores(features))
    errors[label] -= 1.0
    near = [(number, error) for number, error in enumerate(errors) if error > MIN_STEP or error < -MIN_STEP]
    for feature in features:
        row = weights.rows[feature]
        for number, error in near:
            row[number] -= rate * (error + penalty * row[number])


def probabilities(scores: Sequence[float], temperature: float = 1.0) -> list[float]:
    """Return the softmax of scores over a temperature."""
    top = max(scores)
    raised = [math.exp((score - top) / temperature) for score in scores]
    total = sum(raised)
    return [value / total for value in raised]
