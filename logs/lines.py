"""What a format makes of a sender's message: log lines in our own words. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from logs.vocabulary import Level


@dataclass(frozen=True, slots=True)
class Line:
    """One log line as its sender tells it. `timestamp` is UTC; None means that the sender did not say."""

    message: str
    timestamp: dt.datetime | None = None
    level: Level = Level.INFO
    service: str = ""
    host: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str = ""
