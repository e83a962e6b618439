"""What chats offer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Platform:
    """`tell` sends an answer, `ask_note` a field for a note; both raise Failed."""

    kind: str
    label: str
    prefix: str  # of commands
    tell: Callable[[Mapping[str, Any], str], None]
    ask_note: Callable[[Mapping[str, Any], int, str], None]
