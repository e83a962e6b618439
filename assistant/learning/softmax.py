"""Softmax regression over sparse binary features, trained by AdaGrad (Duchi, Hazan, Singer 2011) with an L2 penalty.

Chosen by measurement on the first 70 % of a public sample of incidents: naive Bayes (plain, tempered, forgetting),
averaged posteriors per field, pairs of fields and mixtures of them were all worse; see docs/routing.md.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Label = TypeVar("Label", bound=Hashable)

PENALTY = 1.0
RATE = 0.5
DAMPING = 0.1  # added to the sum of squares, so that first steps are not the longest
MIN_STEP = 0.001  # smaller gradients are left out: few classes are near for most examples
MIN_SEEN = 2  # examples that have a feature; one alone says nothing of others
MAX_WEIGHTS = 400_000  # features times classes, about 30 MB while training
VISITS = 60_000  # examples times passes
MIN_PASSES, MAX_PASSES = 3, 15
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
    squares = {one: [DAMPING] * len(classes) for one in known}
    inputs = [[one for one in example if one in known] for example in examples]
    order = list(range(len(inputs)))
    shuffled = random.Random(SEED)  # noqa: S311 (the same order each time)
    for _pass in range(max(MIN_PASSES, min(MAX_PASSES, VISITS // max(1, len(inputs))))):
        shuffled.shuffle(order)
        for done, place in enumerate(order):
            if done % PAUSE_EVERY == 0:
                pause()
            _learn(weights, squares, known, inputs[place], numbers[labels[place]])
    return weights


def _vocabulary(examples: Sequence[Sequence[str]], classes: int) -> dict[str, int]:
    counts = Counter(feature for example in examples for feature in example)
    most = counts.most_common(MAX_WEIGHTS // max(1, classes))
    return {feature: count for feature, count in most if count >= MIN_SEEN}


def _learn(
    weights: Weights[Label],
    squares: dict[str, list[float]],
    counts: dict[str, int],
    features: Sequence[str],
    label: int,
) -> None:
    errors = probabilities(weights.scores(features))
    errors[label] -= 1.0
    near = [(number, error) for number, error in enumerate(errors) if error > MIN_STEP or error < -MIN_STEP]
    for feature in features:
        row, sums, penalty = weights.rows[feature], squares[feature], PENALTY / counts[feature]
        for number, error in near:
            step = error + penalty * row[number]
            sums[number] += step * step
            row[number] -= RATE * step / math.sqrt(sums[number])


def probabilities(scores: Sequence[float], temperature: float = 1.0) -> list[float]:
    """Return the softmax of scores over a temperature."""
    top = max(scores)
    raised = [math.exp((score - top) / temperature) for score in scores]
    total = sum(raised)
    return [value / total for value in raised]
