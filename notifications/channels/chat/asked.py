"""What somebody asks in a chat. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """Something asked; `name` is the chat's own for it. `reply` and `data` are the chat's."""

    kind: str
    name: str
    address: str
    action: str
    number: int | None = None
    text: str = ""
    reply: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
