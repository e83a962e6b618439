"""A plain, quick HTTP/1.1 client: a few connections, each sending its next request when the last one is answered."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat

import orjson
import uvloop

HOST = "127.0.0.1"
LAST_CHUNK = b"\r\n0\r\n\r\n"  # the end of a chunked answer, with the end of the chunk before


class Refused(RuntimeError):
    """The server answered with something that is not 2xx: the measurement would mean nothing."""


@dataclass
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """The body."""
        return orjson.loads(self.body)


@dataclass
class Measured:
    """What a load showed: each request's milliseconds, and over how many seconds they were sent."""

    seconds: float
    milliseconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, percent: int) -> float:
        """Nearest rank, in milliseconds."""
        ordered = sorted(self.milliseconds)
        return ordered[max(-(-percent * len(ordered) // 100) - 1, 0)]


def request(method: str, path: str, *, token: str = "", body: object = None, headers: str = "") -> bytes:
    """A request's bytes."""
    content = b"" if body is None else orjson.dumps(body)
    lines = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json\r\n{headers}"
    if token:
        lines += f"Authorization: Bearer {token}\r\n"
    if content:
        lines += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return lines.encode() + b"\r\n" + content


class Connection:
    """One connection, opened again where the server closes it (gunicorn's sync workers do after each answer)."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, message: bytes) -> Reply:
        """Send one request and take its whole answer."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, self.port, limit=1 << 20)
        self.writer.write(message)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in head[1:])}
        body = await self._body(headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(int(head[0].split(" ", 2)[1]), headers, body)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await self.reader.read()
        parts = []
        while size := int(await self.reader.readline(), 16):
            parts.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return b"".join(parts)

    def close(self) -> None:
        """Hang up."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def load(
    port: int,
    messages: Iterator[bytes] | bytes,
    *,
    connections: int,
    seconds: float,
    warm_up: float = 0.5,
    at_most: int | None = None,
    collect: Callable[[Reply], None] | None = None,
) -> Measured:
    """Send for so many seconds (or until the messages run out), after a warm-up that is not counted."""
    source = repeat(messages) if isinstance(messages, bytes) else messages
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(port, source, connections, seconds, warm_up, at_most, collect))


async def _load(
    port: int,
    source: Iterator[bytes],
    connections: int,
    seconds: float,
    warm_up: float,
    at_most: int | None,
    collect: Callable[[Reply], None] | None,
) -> Measured:
    open_ones = [Connection(port) for _ in range(connections)]
    counting_from = time.perf_counter() + warm_up
    until = counting_from + seconds
    times: list[tuple[float, float]] = []

    async def keep_asking(connection: Connection) -> None:
        for message in source:
            started = time.perf_counter()
            if started >= until or (at_most is not None and len(times) >= at_most):
                return
            reply = await connection.ask(message)
            ended = time.perf_counter()
            if reply.status // 100 != 2:
                raise Refused(f"{reply.status}: {reply.body[:500]!r}")
            # What is answered within the time counts, so that a short turn shows the rate that a long one does; where
            # nothing is, the first answer.
            if counting_from <= ended and (ended <= until or not times):
                times.append((ended, (ended - started) * 1000))
            if collect is not None:
                collect(reply)

    await asyncio.gather(*(keep_asking(connection) for connection in open_ones))
    for connection in open_ones:
        connection.close()
    if not times:
        raise Refused("no request was answered in the time given")
    return Measured(max(times)[0] - counting_from, [spent for _ended, spent in times])


def ask(port: int, message: bytes) -> Reply:
    """One request on a connection of its own."""

    async def once() -> Reply:
        connection = Connection(port)
        try:
            return await connection.ask(message)
        finally:
            connection.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(once())


@dataclass(frozen=True)
class Streamed:
    """A long answer: seconds to its first body bytes and to its end, and its size."""

    first_byte: float
    total: float
    size: int


def stream(port: int, message: bytes, *, stop_after_first: bool = False) -> Streamed:
    """Take a long answer without keeping it."""

    async def take() -> Streamed:
        reader, writer = await asyncio.open_connection(HOST, port)
        started = time.perf_counter()
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise Refused(repr(head[:300]))
        first = last = await reader.read(1 << 16)
        first_byte = time.perf_counter() - started
        size = len(first)
        tail = last[-len(LAST_CHUNK) :]
        while not stop_after_first and tail != LAST_CHUNK and last:
            last = await reader.read(1 << 16)
            size += len(last)
            tail = (tail + last)[-len(LAST_CHUNK) :]
        writer.close()
        return Streamed(first_byte, time.perf_counter() - started, size)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(take())


# --- How fast the client itself is -----------------------------------------------------------------------------------


class Parrot(asyncio.Protocol):
    """A server that says the same to everybody: what it is asked per second is the client's ceiling."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}'

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.ANSWER)  # type: ignore[attr-defined]


async def parrot(port: int) -> None:
    """Run the server."""
    server = await asyncio.get_running_loop().create_server(Parrot, HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    import sys

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as main_runner:
        main_runner.run(parrot(int(sys.argv[1])))
