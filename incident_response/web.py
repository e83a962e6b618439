"""One web process: `python -m incident_response.web FD` serves the listening socket of that number.

`manage.py serve` starts these. Forwarded-* headers are left to Django (TRUSTED_PROXIES says whether to believe them).
"""

import asyncio
import socket
import sys
from collections.abc import Callable

import structlog
import uvicorn

from incident_response.supervisor import stop_with_parent

GRACE_SECONDS = 8  # for requests in flight, after SIGTERM
KEEP_ALIVE_SECONDS = 75  # longer than the usual 60 s of a reverse proxy, so that it never meets a closing connection

STEP_ASIDE_SECONDS = 0.001
CROWD = 16  # connections from which on two are accepted at a time, so that short ones do not queue up
OUT_OF_FILES_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Acceptor:
    """Takes connections from a socket that several processes share, so that each gets its part.

    asyncio accepts all that wait in one go: a client's eight connections would often land in one process while the
    other idles. This takes one at a time, and a process that has connections lets one that has none go first.
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
        """Accept no more; part of what uvicorn expects of a server."""
        self.is_closed = True
        self.loop.remove_reader(self.listener)

    async def wait_closed(self) -> None:
        """Nothing is left to wait for."""

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
            pass  # another process was faster, or the client changed its mind
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
    """uvicorn with our way of accepting."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept on the given sockets."""
        await self.lifespan.startup()
        connections = self.server_state.connections
        self.servers = [Acceptor(listener, self._protocol, lambda: len(connections)) for listener in sockets or []]  # type: ignore[misc]
        self.started = True

    def _protocol(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def main() -> None:
    """Serve until SIGTERM or SIGINT, or until the supervisor is gone."""
    stop_with_parent()
    config = uvicorn.Config(
        "incident_response.asgi:application",
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
