"""Many open streams, read as the browser's script does: they come back after a while, and go on where they were."""

import asyncio
import random
import re
import resource
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.client import HOST

EVENT = re.compile(rb"id: (\d+)\ndata: ")
RETRY = re.compile(rb"retry: (\d+)\n")
LONGEST_SECONDS = 15.0
TAIL_BYTES = 64  # a head may come in two pieces


@dataclass
class Stream:
    """One stream, and what came over it: places in the feed with the times."""

    port: int
    key: str
    last: int
    seen: dict[int, float] = field(default_factory=dict)
    repeated: int = 0
    retry: float = 1.0
    failures: int = 0
    is_open: bool = False
    attempts: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Stay connected."""
        while True:
            try:
                await self._follow()
            except OSError:
                pass
            self.is_open = False
            wait = self.retry if not self.failures else self._back_off()
            self.failures += 1
            await asyncio.sleep(wait)

    def _back_off(self) -> float:
        return min(LONGEST_SECONDS, 0.5 * 2.0 ** min(self.failures + 1, 6) * random.uniform(0.5, 1.5))

    async def _follow(self) -> None:
        self.attempts.append(time.time())
        loop = asyncio.get_running_loop()
        transport, reader = await loop.create_connection(lambda: Reader(self, loop.create_future()), HOST, self.port)
        head = f"GET /live/?after={self.last} HTTP/1.1\r\nHost: {HOST}\r\nCookie: sessionid={self.key}\r\n\r\n"
        transport.write(head.encode())
        try:
            await reader.ended
        finally:
            transport.close()

    def take(self, piece: bytes, now: float) -> int:
        """Note what a piece tells; return where its last event's head ends."""
        end = 0
        for found in EVENT.finditer(piece):
            place, end = int(found[1]), found.end()
            self.repeated += place in self.seen
            self.seen.setdefault(place, now)
            self.last = max(self.last, place)
        return end


class Reader(asyncio.Protocol):
    """Reads one connection as cheaply as can be: its processor is the server's, too."""

    def __init__(self, stream: Stream, ended: "asyncio.Future[None]") -> None:
        self.stream, self.ended = stream, ended
        self.tail = b""
        self.is_begun = False

    def data_received(self, data: bytes) -> None:
        now = time.time()
        piece = self.tail + data
        if not self.is_begun:
            self._begin(piece)
        self.tail = piece[max(self.stream.take(piece, now), len(piece) - TAIL_BYTES) :]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _begin(self, piece: bytes) -> None:
        if found := RETRY.search(piece):
            self.is_begun = self.stream.is_open = True
            self.stream.retry, self.stream.failures = int(found[1]) / 1000, 0


@dataclass
class Crowd:
    """All streams."""

    streams: list[Stream]
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def open(self, *, over_seconds: float) -> None:
        """Open them one after the other."""
        for number, stream in enumerate(self.streams):
            delay = over_seconds * number / len(self.streams)
            self.tasks.append(asyncio.create_task(self._later(stream, delay)))

    async def _later(self, stream: Stream, delay: float) -> None:
        await asyncio.sleep(delay)
        await stream.run()

    async def until(self, is_so: "object", seconds: float) -> float:
        """Wait until something holds of every stream; return the seconds that took, or infinity."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if all(is_so(stream) for stream in self.streams):  # type: ignore[operator]
                return time.monotonic() - begun
            await asyncio.sleep(0.05)
        return float("inf")

    def most_attempts_in_a_second(self, since: float) -> int:
        counts = Counter(int(moment - since) for one in self.streams for moment in one.attempts if moment >= since)
        return max(counts.values(), default=0)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def allow_many_files() -> None:
    """Let this process have a connection for each stream."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
