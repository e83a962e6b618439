"""Servers that take what is sent and note it: mail by SMTP, webhooks by HTTP. They may refuse, hang or be slow.

`python -m benchmarks.paging.sinks KIND PORT FILE REFUSED HANGING`: of so many connections in a hundred. Each message is
a line of FILE: seconds since 1970, recipient or path, and what it is about.
"""

import asyncio
import contextlib
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.client import HOST
from benchmarks.databases import ROOT
from benchmarks.server import free_port

SUBJECT = re.compile(rb"^Subject: (.*)$", re.MULTILINE)
MAILS = 5  # of a connection, where some are refused


@dataclass(frozen=True)
class Arrival:
    """A message that a sink took."""

    at: float
    recipient: str
    about: str


@dataclass(frozen=True)
class Sink:
    """A sink that runs."""

    kind: str
    port: int
    file: Path

    @property
    def url(self) -> str:
        """Return what EMAIL_URL is."""
        return f"smtp://{HOST}:{self.port}"

    def arrivals(self) -> list[Arrival]:
        """Return all messages, in order."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        parts = [line.split("\t", 2) for line in lines if line.count("\t") >= 2]
        return [Arrival(float(at), recipient, about) for at, recipient, about in parts]

    def count(self) -> int:
        return self.file.read_bytes().count(b"\n") if self.file.exists() else 0


@contextlib.contextmanager
def running(kind: str, *, refused: int = 0, hanging: int = 0, port: int = 0) -> Iterator[Sink]:
    """Run a sink until the block ends."""
    with tempfile.TemporaryDirectory(prefix="bench-sink-") as folder:
        sink = Sink(kind, port or free_port(), Path(folder) / "arrivals")
        arguments = [kind, str(sink.port), str(sink.file), str(refused), str(hanging)]
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.paging.sinks", *arguments], cwd=ROOT)
        try:
            _wait(sink.port)
            yield sink
        finally:
            process.kill()
            process.wait()


def _wait(port: int) -> None:
    import socket

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("a sink does not listen")


class Mails:
    """Takes mails, by aiosmtpd; hangs up after some, so that connections are opened again."""

    def __init__(self, file: IO[bytes], hangs_up: bool) -> None:
        self.file, self.hangs_up = file, hangs_up
        self.of_session: Counter[int] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Note the mail, then say so."""
        content = envelope.original_content or b""
        found = SUBJECT.search(content[:4000])
        for recipient in envelope.rcpt_tos:
            _note(self.file, recipient, found[1].strip() if found else b"")
        self.of_session[id(session)] += 1
        if self.hangs_up and self.of_session[id(session)] % MAILS == 0:
            asyncio.get_running_loop().call_later(0.02, server.transport.close)
        return "250 2.0.0 Ok: queued"


class Posts(asyncio.Protocol):
    """Takes posts, over connections that are kept."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.buffer = file, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            found = re.search(rb"content-length: (\d+)", head)
            length = int(found[1]) if found else 0
            if len(self.buffer) < end + 4 + length:
                return
            path = self.buffer.split(b" ", 2)[1].decode()
            self.buffer = self.buffer[end + 4 + length :]
            identity = re.search(rb"webhook-id: (\S+)", head)
            _note(self.file, path, identity[1] if identity else b"")
            self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")  # type: ignore[attr-defined]


class Silent(asyncio.Protocol):
    """Accepts, and never says a word."""


class Refusing(asyncio.Protocol):
    """Resets the connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.abort()  # type: ignore[attr-defined]


def _note(file: IO[bytes], recipient: str, about: bytes) -> None:
    file.write(f"{time.time():.6f}\t{recipient}\t".encode() + about.replace(b"\t", b" ") + b"\n")
    file.flush()


async def serve(kind: str, port: int, file: IO[bytes], refused: int, hanging: int) -> None:
    """Take messages for ever."""
    loop, chance, mails = asyncio.get_running_loop(), random.Random(port), Mails(file, refused + hanging > 0)

    def protocol() -> asyncio.BaseProtocol:
        drawn = chance.randrange(100)
        if drawn < refused:
            return Refusing()
        if drawn < refused + hanging:
            return Silent()
        return SMTP(mails, loop=loop, hostname="sink") if kind == "smtp" else Posts(file)

    server = await loop.create_server(protocol, HOST, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    _kind, _port, _file, _refused, _hanging = sys.argv[1:]
    with Path(_file).open("ab") as _output, asyncio.Runner(loop_factory=uvloop.new_event_loop) as _runner:
        _runner.run(serve(_kind, int(_port), _output, int(_refused), int(_hanging)))
