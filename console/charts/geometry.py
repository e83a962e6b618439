"""Where things are on a chart: scales, places, paths."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from console.charts.values import HEIGHT, Format, Point, Tick

LEVELS = 4
MAX_TICKS = 6
BAND_WIDTH = 1000
MINUTES = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def scale_of(most: float, *, base: int = 1) -> tuple[float, int]:
    """Return the top of an axis that holds `most`, and how many equal steps lead there; steps are whole `base`s."""
    if most <= 0:
        return base, 1
    for step in _round_steps(base):
        count = math.ceil(most / step)
        if count <= LEVELS:
            return step * count, count
    raise AssertionError("steps grow without end")


def level_of(value: float, most: float) -> int:
    """Return 0 for nothing, to 4 for the most."""
    return math.ceil(LEVELS * value / most) if most and value > 0 else 0


def _round_steps(base: int) -> Iterator[float]:
    if base == 60:
        yield from MINUTES
        base = MINUTES[-1]
    size = base
    while True:
        yield from (size, size * 2, size * 5)
        size *= 10


def percent(value: float) -> str:
    return f"{value:.2f}%"


def slot(place: int, count: int, gap: float = 0.2) -> tuple[str, str]:
    each = 100 / max(count, 1)
    return percent(each * (place + gap / 2)), percent(each * (1 - gap))


def middle(place: int, count: int) -> float:
    return (place + 0.5) / max(count, 1)


def ticks_of(labels: Sequence[str]) -> tuple[Tick, ...]:
    """Return some labels of an axis, evenly spread."""
    every = max(math.ceil(len(labels) / MAX_TICKS), 1)
    return tuple(
        Tick(percent(100 * middle(place, len(labels))), labels[place]) for place in range(0, len(labels), every)
    )


def scale_ticks(top: float, steps: int, show: Format) -> tuple[Tick, ...]:
    levels = [top * step / steps for step in range(1, steps + 1)]
    return tuple(Tick(str(height_of(level, top)), show(level)) for level in levels)


def height_of(value: float, top: float) -> int:
    return round(HEIGHT * (1 - value / top))


Run = list[tuple[float, Point]]


def runs_of(points: Sequence[Point], places: Sequence[float], value_of: Callable[[Point], float | None]) -> list[Run]:
    """Return stretches without a gap."""
    runs: list[Run] = [[]]
    for place, point in zip(places, points, strict=True):
        if value_of(point) is None:
            runs.append([])
        else:
            runs[-1].append((place, point))
    return [run for run in runs if run]


def path_of(run: Run, top: float, value_of: Callable[[Point], float | None]) -> str:
    return _joined((place * BAND_WIDTH, height_of(value_of(point) or 0, top)) for place, point in run)


def band_of(run: Run, top: float) -> str:
    upper = [(place * BAND_WIDTH, height_of(point.p90 or 0, top)) for place, point in run]
    lower = [(place * BAND_WIDTH, height_of(point.p50 or 0, top)) for place, point in reversed(run)]
    return f"{_joined([*upper, *lower])} Z"


def _joined(places: Iterable[tuple[float, int]]) -> str:
    return " ".join(f"{'L' if number else 'M'}{x:.1f} {y}" for number, (x, y) in enumerate(places))
