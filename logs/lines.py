"""What a format makes of a sender's message: log lines in our own words. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from logs.vocabulary import Level

SHOWN_REASONS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One log line as its sender tells it, of whatever length; what is stored of it is bounded (`logs.fitting`).

    `timestamp` is UTC; None means that the sender did not say. `attributes` are JSON values by name. `trace_id` is
    32 hexadecimal digits in lower case, or "". `unknown_level` is the sender's word for the level where nothing here
    knows it; `level` is then a guess.
    """

    message: str
    timestamp: dt.datetime | None = None
    level: Level = Level.INFO
    service: str = ""
    host: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str = ""
    unknown_level: str = ""


@dataclass(slots=True)
class Parsed:
    """The lines of a request, and how many of it were none, with the first reasons: sentences that name the place."""

    lines: list[Line] = field(default_factory=list)
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def reject(self, reason: str) -> None:
        """Count something that is no line."""
        self.rejected += 1
        if len(self.reasons) < SHOWN_REASONS:
            self.reasons.append(reason)

    @property
    def summary(self) -> str:
        """What was wrong, in a line."""
        return f"{self.rejected:,} of {self.rejected + len(self.lines):,} were not taken. {' '.join(self.reasons)}"


def first_named(record: Mapping[str, Any], names: Sequence[str]) -> tuple[str, Any]:
    """The first of the names that says something in the record, and what; ("", None) where none does."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return name, value
    return "", None
