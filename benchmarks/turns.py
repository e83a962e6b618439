"""Measure what is compared in turns: A B B A.

Within the minutes between two measurements a machine's pace may change by more than what is looked for. What takes
turns is slowed alike, and medians leave out the turns in which somebody else took the machine.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Protocol, TypeVar

Key = TypeVar("Key")
Found = TypeVar("Found")


class Turn(Protocol):
    """What a load shows in one of its turns."""

    @property
    def rate(self) -> float:
        """Requests per second."""

    def percentile(self, percent: int) -> float:
        """In milliseconds."""


def take_turns(loads: Mapping[Key, Callable[[], Found]], turns: int) -> dict[Key, list[Found]]:
    """Return what each load found in each of its turns; every other round goes through them backwards."""
    found: dict[Key, list[Found]] = {key: [] for key in loads}
    for turn in range(turns):
        for key in list(loads)[:: -1 if turn % 2 else 1]:
            found[key].append(loads[key]())
    return found


def rate(turns: Sequence[Turn]) -> float:
    """Return the median of the turns' requests per second."""
    return median(turn.rate for turn in turns)


def percentile(turns: Sequence[Turn], percent: int) -> float:
    """Return the median of the turns' percentiles, in milliseconds."""
    return median(turn.percentile(percent) for turn in turns)
