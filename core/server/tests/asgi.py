"""A client that speaks ASGI to an application, message by message."""

import asyncio
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]


class Exchange:
    """One request: the messages to be received, and those that were sent."""

    def __init__(self, *messages: Message, disconnects_after: int | None = None) -> None:
        self.messages = list(messages) or [{"type": "http.request", "body": b"", "more_body": False}]
        self.sent: list[Message] = []
        self.disconnects_after = disconnects_after
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        if self.messages:
            return self.messages.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if self.disconnects_after is not None and len(self.sent) >= self.disconnects_after:
            self.gone.set()

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def http_scope(path: str = "/", method: str = "GET", headers: Sequence[tuple[bytes, bytes]] = ()) -> Message:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("192.0.2.7", 50000),
        "server": ("127.0.0.1", 8000),
    }


def part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}
