"""The internet as a program under test sees it: a proxy that knows a few hosts, and notes who was asked for."""

import asyncio
import ssl
import threading
from collections.abc import Mapping
from types import TracebackType

from e2e.server import HOST, Server, free_port
from e2e.tls import copy, write_certificates


class Internet:
    """While entered, what runs with `environment` reaches only `hosts`: each name leads to a port here.

    `asked` are the names and ports that were asked for, known or not.
    """

    def __init__(self, server: Server, hosts: Mapping[str, int]) -> None:
        self.hosts = dict(hosts)
        self.asked: list[str] = []
        self.port = free_port()
        authority, self._pair = (
            server.folder / f"{name}-{self.port}.pem" for name in ("internet-authority", "internet")
        )
        write_certificates(authority, self._pair, *self.hosts)
        proxy = f"http://{HOST}:{self.port}"
        self.environment = {
            **dict.fromkeys(
                ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), proxy
            ),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
            **dict.fromkeys(("SSL_CERT_FILE", "AWS_CA_BUNDLE"), str(authority)),
        }
        self._loop: asyncio.AbstractEventLoop
        self._ended = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="internet", daemon=True)

    def __enter__(self) -> "Internet":
        self._thread.start()
        if not self._started.wait(timeout=10):
            raise RuntimeError("The proxy did not start.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(timeout=10)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        listener = await asyncio.start_server(self._serve, HOST, self.port)
        self._started.set()
        await self._ended.wait()
        listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target, _version = head.partition("\r\n")[0].split(" ", 2)
            self.asked.append(target)
            port = self.hosts.get(target.removesuffix(":443"))
            if method != "CONNECT" or port is None:
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                writer.close()
                return
            await self._lead(reader, writer, port)
        except (OSError, EOFError, asyncio.CancelledError):
            writer.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._pair)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(context)
        inner_reader, inner_writer = await asyncio.open_connection(HOST, port)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
