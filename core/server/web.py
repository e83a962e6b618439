"""One web process: `python -m core.server.web FD` serves that socket."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import structlog
import uvicorn
from django.conf import settings
from django.utils.module_loading import import_string

from core.server.stopping import STOP_SIGNALS
from core.server.supervisor import stop_with_parent

if TYPE_CHECKING:
    from core.server.entrance import Entrance

KEEP_ALIVE_SECONDS = 75  # above a reverse proxy's usual 60 s, so that it never meets a closing connection

STEP_ASIDE_SECONDS = 0.001
CROWD = 16  # connections, from which on two are accepted at a time
OUT_OF_FILES_SECONDS = 0.5

STOP_TICK_SECONDS = 0.05
SILENCE_SECONDS = 2.0  # for a new connection's first line while stopping

log = structlog.get_logger(__name__)


class Acceptor:
    """Accepts evenly from a socket shared by processes.

    asyncio accepts all at once, so one process may get a client's eight connections. This accepts one at a time, and
    lets idle processes go first.
    """

    def __init__(
        self, listener: socket.socket, protocol: Callable[[], asyncio.Protocol], connections: Callable[[], int]
    ) -> None:
        self.listener, self.protocol, self.connections = listener, protocol, connections
        self.loop = asyncio.get_running_loop()
        self.tasks: set[asyncio.Task[object]] = set()
        self.is_closed = False
        listener.setblocking(False)
        self._listen()

    def close(self) -> None:
        self.is_closed = True
        self.loop.remove_reader(self.listener)

    async def drain(self) -> None:
        """Accept what waits, which would be reset otherwise."""
        self.close()
        with contextlib.suppress(OSError):
            while True:
                self._connect(self.listener.accept()[0])
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def wait_closed(self) -> None:
        """Return at once: nothing is left to wait for."""

    def _listen(self) -> None:
        if not self.is_closed:
            self.loop.add_reader(self.listener, self._on_waiting)

    def _on_waiting(self) -> None:
        self.loop.remove_reader(self.listener)
        self.loop.call_later(STEP_ASIDE_SECONDS if self.connections() else 0, self._accept)

    def _accept(self) -> None:
        try:
            for _ in range(2 if self.connections() >= CROWD else 1):
                if not self.is_closed:
                    self._connect(self.listener.accept()[0])
        except (BlockingIOError, ConnectionAbortedError):
            pass  # another process was faster, or the client left
        except OSError as error:
            log.error("cannot accept connections", error=str(error))
            self.loop.call_later(OUT_OF_FILES_SECONDS, self._listen)
            return
        self._listen()

    def _connect(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        task = self.loop.create_task(self.loop.connect_accepted_socket(self.protocol, connection))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Server(uvicorn.Server):
    """uvicorn with our ways of accepting and stopping."""

    def __init__(self, config: uvicorn.Config, entrance: "Entrance", grace_seconds: float) -> None:
        super().__init__(config)
        self.entrance = entrance
        self.grace_seconds = grace_seconds
        self.has_cut = False

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Report signals through a file descriptor, interrupting nothing."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        connections = self.server_state.connections
        self.servers = [Acceptor(listener, self._protocol, lambda: len(connections)) for listener in sockets or []]  # type: ignore[misc]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish running requests; answer 503 beyond the grace."""
        log.info("stopping", connections=len(self.server_state.connections), grace_seconds=self.grace_seconds)
        self.entrance.stop()
        acceptors = cast("list[Acceptor]", self.servers)
        for acceptor in acceptors:
            await acceptor.drain()
        for listener in sockets or []:
            listener.close()
        self._close_connections(lambda connection: not _is_new(connection))
        begun = time.monotonic()
        while self._is_busy() and (waited := time.monotonic() - begun) < self.grace_seconds:
            await asyncio.sleep(STOP_TICK_SECONDS)
            if waited > SILENCE_SECONDS:
                self._close_connections(_is_new)
        if self._is_busy():
            await self._cut()

    def _stop(self) -> None:
        self.should_exit = True

    def _is_busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)

    def _close_connections(self, which: Callable[[Any], bool]) -> None:
        for connection in [one for one in self.server_state.connections if which(one)]:
            connection.shutdown()

    async def _cut(self) -> None:
        self.has_cut = True
        cut = list(self.server_state.tasks)
        log.warning("cut what did not end in time", requests=len(cut), grace_seconds=self.grace_seconds)
        for task in cut:
            task.cancel()
        if cut:
            await asyncio.wait(cut, timeout=self.entrance.linger_seconds + 1)

    def _protocol(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def _is_new(connection: Any) -> bool:
    return connection.cycle is None


def main() -> None:
    """Serve until SIGTERM, SIGINT, or the supervisor's end."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)  # nothing runs yet
    stop_with_parent()
    application = import_string(settings.ASGI_APPLICATION)  # sets Django up for the imports below

    from core.server.checks import watch
    from core.server.protocol import BoundedProtocol
    from core.server.waits import limit_waits_of_web
    from core.server.wakeups import send_wakeups

    limit_waits_of_web()
    send_wakeups()
    config = uvicorn.Config(
        application,
        http=BoundedProtocol,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    watch.start()
    server = Server(config, application, settings.STOP_SECONDS)
    server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
    if server.has_cut:
        logging.shutdown()
        os._exit(0)  # abandoned threads would keep the process


if __name__ == "__main__":
    main()
