"""What somebody asks in a chat. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """Something asked, by the chat's own `name` for it."""

    kind: str
    name: str
    address: str
    action: str
    number: int | None = None
    text: str = ""
    reply: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
