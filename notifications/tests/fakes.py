"""Channels that do as a test says."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from core.errors import DomainError
from notifications.channels import port
from notifications.channels.port import Address, Channel, Failed, Message, Receipt, Stage
from notifications.services import sending

Step = Receipt | Failed | Callable[[Message, Address], Receipt]


@dataclass
class Script:
    """Answers each send by the next step, then by the last one again; remembers what was sent."""

    steps: list[Step] = field(default_factory=lambda: [Receipt(Stage.ACCEPTED, provider="fake")])
    sent: list[tuple[Message, Address]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: Message, to: Address) -> Receipt:
        with self._lock:
            step = self.steps[min(len(self.sent), len(self.steps) - 1)]
            self.sent.append((message, to))
        if isinstance(step, Failed):
            raise step
        return step if isinstance(step, Receipt) else step(message, to)

    @property
    def titles(self) -> list[str]:
        return [message.title for message, _to in self.sent]

    @property
    def messages(self) -> list[Message]:
        return [message for message, _to in self.sent]


def accepted(provider_id: str = "", provider: str = "fake") -> Receipt:
    return Receipt(Stage.ACCEPTED, provider=provider, provider_id=provider_id)


def delivered(provider_id: str = "") -> Receipt:
    return Receipt(Stage.DELIVERED, provider="fake", provider_id=provider_id)


def hang(seconds: float) -> Callable[[Message, Address], Receipt]:
    """A step that answers so late."""

    def step(message: Message, to: Address) -> Receipt:
        time.sleep(seconds)
        return accepted()

    return step


def _validate(text: str) -> str:
    if not text.strip():
        raise DomainError("Enter an address.", field="address")
    return text.strip().lower()


def fake_channel(kind: str = "fake", script: Script | None = None, **fields: Any) -> Channel:
    """A channel of this kind that follows the script."""
    found = script or Script()
    values = {
        "validate": _validate,
        "mask": lambda address: f"{address[:1]}…",
        "concurrency": 4,
        "is_room": True,
        **fields,
    }
    return Channel(kind=kind, label=kind.capitalize(), send=found.send, **values)


@contextmanager
def only_channels(*channels: Channel) -> Iterator[None]:
    """Have these channels and no others, with senders of their own."""
    with (
        mock.patch.dict(port._channels, {channel.kind: channel for channel in channels}, clear=True),
        mock.patch.dict(sending._senders, clear=True),
    ):
        yield
