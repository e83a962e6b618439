"""What an endpoint makes of a request: the rows to keep and where, and what the sender is then told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from intake.models import Source
from intake.requests import IntakeResponse


@dataclass(frozen=True)
class IntakeResult:
    """What was read and is wanted kept: `rows` go to `sink`, and only then the sender is told `reply`.

    `sink` is called inside the transaction with everything that was taken for it at the same time. `weight` is what
    it takes to keep and to hold, in bytes of a body, where that is more than its own body has.
    """

    rows: Sequence[Any]
    response: IntakeResponse
    sink: Callable[[Sequence["IntakeResult"]], None]
    source: Source | None = None
    weight: int = 0
