"""How much a first visit loads, with nothing in the browser's cache."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.report import Line
from e2e.browser.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Stop = Callable[[], object]
SETTLE_MS = 1_500
PERSON = "ben"
LIMITS = {"/incidents/": 90, "/report/": 90, "/": 130}  # kB
TITLES = {"/incidents/": "list", "/report/": "report form", "/": "dashboard"}


class Meter:
    """Passes a server's bytes on and counts what it sends: heads, bodies, and what workers load, too."""

    def __init__(self, address: str) -> None:
        self.to = urlsplit(address)
        self.sent = 0

    async def serve(self, tell: "queue.Queue[tuple[int, Stop]]") -> None:
        """Listen until stopped; tells the port and how to stop."""
        listener = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        tell.put((listener.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(task.cancel)))
        await listener.serve_forever()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            up_reader, up_writer = await asyncio.open_connection(self.to.hostname, self.to.port)
            await asyncio.gather(self._copy(reader, up_writer), self._copy(up_reader, writer, counts=True))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counts: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                self.sent += len(data) if counts else 0
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.contextmanager
def metered(address: str) -> Iterator[tuple[Meter, str]]:
    """Yield the meter and the address that passes through it."""
    meter, told = Meter(address), queue.Queue[tuple[int, Stop]]()
    thread = threading.Thread(target=_run, args=(meter, told), daemon=True)
    thread.start()
    port, stop = told.get(timeout=10)
    try:
        yield meter, f"http://127.0.0.1:{port}"
    finally:
        stop()
        thread.join(10)


def _run(meter: Meter, told: "queue.Queue[tuple[int, Stop]]") -> None:
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(meter.serve(told))


def measure(site: Site, browser: "Browser") -> dict[str, float]:
    """Return the kB of each page's first visit."""
    found = {}
    with metered(site.address) as (meter, address):
        for path in LIMITS:
            context = browser.new_context(base_url=address, viewport={"width": 390, "height": 844}, is_mobile=True)
            context.add_cookies([{**cookie, "url": address} for cookie in site.cookies(PERSON)])
            page = context.new_page()
            before = meter.sent
            page.goto(path, wait_until="load")
            page.wait_for_timeout(SETTLE_MS)
            found[path] = (meter.sent - before) / 1000
            context.close()
    return found


def lines(found: dict[str, float]) -> list[Line]:
    """Return what must be reached."""
    return [Line(TITLES[path], "first load, kB", found[path], limit) for path, limit in LIMITS.items()]
