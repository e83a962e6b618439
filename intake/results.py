"""What an endpoint makes of a request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from intake.models import Source
from intake.requests import IntakeResponse


@dataclass(frozen=True)
class IntakeResult:
    """`rows` for `sink`, which is called inside the transaction with all results for it, before `response` is sent.

    `weight` is what it takes to hold and store, in bytes of a body, where that is more than its own body has.
    """

    rows: Sequence[Any]
    response: IntakeResponse
    sink: Callable[[Sequence["IntakeResult"]], None]
    source: Source | None = None
    weight: int = 0
