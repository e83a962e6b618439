"""A relay between browser and server: counts what passes, notes what is asked, and can cut the line."""

import asyncio
import contextlib
import queue
import re
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

Stop = Callable[[], object]
ASKED = re.compile(rb"^(?:GET|POST) (\S+) HTTP/1\.1\r$", re.MULTILINE)


class Relay:
    """Passes bytes on both ways."""

    def __init__(self, address: str) -> None:
        self.to = urlsplit(address)
        self.sent = 0  # bytes from the server: heads and bodies, of workers, too
        self.open: dict[int, list[str]] = {}  # what was asked on each connection that is open
        self.cuts = 0
        self.cut_after: int | None = None  # bytes from the browser on one connection, after which it breaks

    async def serve(self, tell: "queue.Queue[tuple[int, Stop]]") -> None:
        """Listen until stopped; tells the port and how to stop."""
        listener = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        tell.put((listener.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(task.cancel)))
        await listener.serve_forever()

    def streams(self, path: str) -> int:
        """Return how many open connections were last asked for this path."""
        return sum(bool(asked) and asked[-1].startswith(path) for asked in list(self.open.values()))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = self.open[id(writer)] = []
        with contextlib.suppress(OSError, asyncio.CancelledError):
            up_reader, up_writer = await asyncio.open_connection(self.to.hostname, self.to.port)
            await asyncio.gather(self._up(reader, up_writer, asked), self._down(up_reader, writer))
        del self.open[id(writer)]

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: list[str]) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 14):
                passed += len(data)
                asked += [path.decode() for path in ASKED.findall(data)]
                if self.cut_after is not None and passed > self.cut_after:
                    self.cuts += 1
                    reader._transport.abort()  # type: ignore[attr-defined]
                    break
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                self.sent += len(data)
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.contextmanager
def relayed(address: str) -> Iterator[tuple[Relay, str]]:
    """Yield a relay and the address that passes through it."""
    relay, told = Relay(address), queue.Queue[tuple[int, Stop]]()
    thread = threading.Thread(target=_run, args=(relay, told), daemon=True)
    thread.start()
    port, stop = told.get(timeout=10)
    try:
        yield relay, f"http://127.0.0.1:{port}"
    finally:
        stop()
        thread.join(10)


def _run(relay: Relay, told: "queue.Queue[tuple[int, Stop]]") -> None:
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(relay.serve(told))
