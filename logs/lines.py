"""Log lines in our own words. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from logs.vocabulary import Level

SHOWN_REASONS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A log line as sent; storing bounds it (`logs.normalising`).

    `timestamp` is UTC or None, `trace_id` 32 lower-case hex digits or "". With an `unknown_level`, `level` is a guess.
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
    """A request's lines; items that were none, with reasons."""

    lines: list[Line] = field(default_factory=list)
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def reject(self, reason: str) -> None:
        self.rejected += 1
        if len(self.reasons) < SHOWN_REASONS:
            self.reasons.append(reason)

    @property
    def summary(self) -> str:
        return f"{self.rejected:,} of {self.rejected + len(self.lines):,} were rejected. {' '.join(self.reasons)}"


def first_named(record: Mapping[str, Any], names: Sequence[str]) -> tuple[str, Any]:
    """Return the first name with a value, and the value; else ("", None)."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return name, value
    return "", None
