"""Tell what is unusual: counts by robust statistics, log templates by rarity. Pure.

Robust z: distance from the median in units of the scaled median absolute deviation (Iglewicz and Hoaglin, "How to
Detect and Handle Outliers", 1993).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from logs.templates import Drain, Template, masked

SCALE = 1.4826  # of the median absolute deviation, so that it estimates a standard deviation
UNUSUAL = 5.0  # robust z
FEWEST = 8  # counts that make a history
LEAST = 5  # lines that make a surge of a template
SURGE = 5.0  # times the rate before
SEVERE = 5  # logs.vocabulary.Level.ERROR
OF_LEVEL = {6: 1.0, 5: 0.9, 4: 0.6}
OF_LOWER_LEVEL = 0.3


def robust_z(history: Sequence[float], value: float) -> float:
    """Return how unusual a count is; counts scatter at least as their square root does."""
    if len(history) < FEWEST:
        return 0.0
    middle = median(history)
    deviation = median(abs(one - middle) for one in history)
    return (value - middle) / max(SCALE * deviation, math.sqrt(middle), 1.0)


@dataclass(frozen=True)
class Line:
    """A log line; `level` is its rank, `weight` how many lines it stands for."""

    id: int
    message: str
    level: int = 3
    service: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Surge:
    """A template that is new or much more frequent than before; `first` is its first line since."""

    template: str
    first: Line
    count: float
    before: float
    ratio: float
    score: float

    @property
    def is_new(self) -> bool:
        return self.before == 0

    @property
    def key(self) -> str:
        """Return what the first line says without its values."""
        return masked(self.first.message)


@dataclass(slots=True)
class _Counted:
    template: Template
    before: float = 0.0
    lines: list[Line] = field(default_factory=list)


def surging(before: Sequence[Line], around: Sequence[Line], *, times: float, most: int = 3) -> list[Surge]:
    """Return the templates that surged, the most telling first.

    `times` is how much longer the time of the lines before was than that of the lines around the start.
    """
    drain = Drain()
    found: dict[int, _Counted] = {}
    for line in before:
        found.setdefault(id(template := drain.add(line.message)), _Counted(template)).before += line.weight
    for line in around:
        found.setdefault(id(template := drain.add(line.message)), _Counted(template)).lines.append(line)
    surges = [_surge(one, times) for one in found.values() if one.lines]
    telling = [one for one in surges if _tells(one)]
    return sorted(telling, key=lambda one: (-one.score, one.first.id))[:most]


def _surge(one: _Counted, times: float) -> Surge:
    count = sum(line.weight for line in one.lines)
    ratio = count * times / (one.before + 0.5)
    level = max(line.level for line in one.lines)
    score = OF_LEVEL.get(level, OF_LOWER_LEVEL) * min(1.0, math.log2(1 + ratio) / 8)
    first = min(one.lines, key=lambda line: line.id)
    return Surge(one.template.text, first, count, one.before, round(ratio, 1), round(score, 3))


def _tells(surge: Surge) -> bool:
    """Return whether it surged; a new error needs no repetition."""
    if surge.is_new and surge.first.level >= SEVERE:
        return True
    return surge.count >= LEAST and surge.ratio >= SURGE
