"""Learn one field from past incidents, find out on the newest how far it can be trusted, and suggest or be silent."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from assistant.learning.softmax import Label, Weights, probabilities, train

MOST = 10_000  # the newest examples are learnt from
FEWEST = 30  # examples; fewer teach nothing
MOST_CLASSES = 100
HELD_OUT = 0.2  # the newest, to measure on
SHOWN = 3
FLOOR = 0.5  # confidence
GAP = 0.25  # of what is missing from a class's share to certainty: what an incident's words must add to it
SKILL = 0.03  # by how much the error must be smaller than of shares alone
TEMPERATURES = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5, 3.0)  # never surer than it was taught
CAUTION = 4.0  # examples' worth of pull towards temperature 1
LEAST = 1e-4  # probability of what was never seen


@dataclass(frozen=True)
class Figures:
    """How it did on the newest, held-out incidents; `said` are those where it was sure enough to suggest."""

    examples: int
    classes: int
    held_out: int
    right: int
    in_three: int
    said: int
    said_right: int


@dataclass(frozen=True)
class Ranked(Generic[Label]):
    """A possible value and its confidence, 0 to 1."""

    label: Label
    confidence: float


@dataclass(frozen=True)
class Learnt(Generic[Label]):
    """What one field's history teaches."""

    weights: Weights[Label]
    temperature: float
    figures: Figures

    def rank(self, features: Sequence[str], most: int = SHOWN) -> list[Ranked[Label]]:
        """Return the likeliest values, best first."""
        told = probabilities(self.weights.scores(features), self.temperature)
        best = sorted(range(len(told)), key=lambda number: -told[number])[:most]
        return [Ranked(self.weights.classes[number], told[number]) for number in best]

    def is_sure(self, first: Ranked[Label]) -> bool:
        """Return whether to suggest: likelier than not, and clearly likelier than without this incident's features."""
        shares = probabilities(self.weights.biases)
        share = shares[self.weights.classes.index(first.label)]
        return first.confidence >= max(FLOOR, share + GAP * (1 - share))

    def reasons(self, features: Sequence[str], label: Label, most: int = SHOWN) -> list[tuple[str, float]]:
        """Return the features that speak most for a value, against the mean of all, with what each adds."""
        place = self.weights.classes.index(label)
        known = [(one, row) for one in features if (row := self.weights.rows.get(one)) is not None]
        adds = [(one, row[place] - sum(row) / len(row)) for one, row in known]
        return sorted([one for one in adds if one[1] > 0], key=lambda one: -one[1])[:most]


def learn(
    examples: Sequence[Sequence[str]],
    labels: Sequence[Label],
    *,
    pause: Callable[[], None] = lambda: None,
) -> Learnt[Label] | None:
    """Learn from examples, oldest first; None with too few, with one value only, or where words tell nothing.

    `pause` is called now and then, for a caller that shares the processor.
    """
    kept = _kept(labels[-MOST:])
    pairs = [(one, label) for one, label in zip(examples[-MOST:], labels[-MOST:], strict=True) if label in kept]
    if len(kept) < 2 or len(pairs) < FEWEST:
        return None
    cut = len(pairs) - max(1, round(len(pairs) * HELD_OUT))
    older, newer = pairs[:cut], pairs[cut:]
    trial = train([one for one, _ in older], [label for _, label in older], pause=pause)
    temperature = _temperature(trial, newer)
    figures = _measure(Learnt(trial, temperature, Figures(len(pairs), len(kept), 0, 0, 0, 0, 0)), newer)
    if not _tells_more(trial, temperature, newer):
        return None
    weights = train([one for one, _ in pairs], [label for _, label in pairs], pause=pause)
    return Learnt(weights, temperature, figures)


def _kept(labels: Sequence[Label]) -> set[Label]:
    return {label for label, _count in Counter(labels).most_common(MOST_CLASSES)}


def _temperature(weights: Weights[Label], held: Sequence[tuple[Sequence[str], Label]]) -> float:
    """Return what makes the confidence true on held-out examples (Guo et al. 2017), cautiously with few of them."""
    scored = [(weights.scores(features), label) for features, label in held]

    def cost(temperature: float) -> float:
        lost = sum(_loss(weights, probabilities(scores, temperature), label) for scores, label in scored)
        return lost + CAUTION * math.log(temperature) ** 2

    return min(TEMPERATURES, key=cost)


def _loss(weights: Weights[Label], told: Sequence[float], label: Label) -> float:
    if label not in weights.classes:
        return -math.log(LEAST)
    return -math.log(max(told[weights.classes.index(label)], LEAST))


def _tells_more(weights: Weights[Label], temperature: float, held: Sequence[tuple[Sequence[str], Label]]) -> bool:
    shares = probabilities(weights.biases)
    alone = sum(_loss(weights, shares, label) for _, label in held)
    told = sum(_loss(weights, probabilities(weights.scores(features), temperature), label) for features, label in held)
    return told < alone * (1 - SKILL)


def _measure(learnt: Learnt[Label], held: Sequence[tuple[Sequence[str], Label]]) -> Figures:
    right = in_three = said = said_right = 0
    for features, label in held:
        ranked = learnt.rank(features)
        is_right = ranked[0].label == label
        right += is_right
        in_three += any(one.label == label for one in ranked)
        if learnt.is_sure(ranked[0]):
            said += 1
            said_right += is_right
    return Figures(learnt.figures.examples, learnt.figures.classes, len(held), right, in_three, said, said_right)
