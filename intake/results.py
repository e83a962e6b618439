"""Results of endpoints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from intake.models import Source
from intake.requests import IntakeResponse


@dataclass(frozen=True)
class IntakeResult:
    """`rows` for `sink`, which stores all results at once before `response` is sent.

    `weight` is its size in bytes where that exceeds the body's.
    """

    rows: Sequence[Any]
    response: IntakeResponse
    sink: Callable[[Sequence["IntakeResult"]], None]
    source: Source | None = None
    weight: int = 0
