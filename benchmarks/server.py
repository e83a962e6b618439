"""Starting and stopping the servers that are measured, and looking at their memory."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.client import HOST, Measured, Refused, Reply, ask, load, request
from benchmarks.databases import ROOT, Database

PROCESSES = 2
CONNECTIONS = 8
PLAIN = request("GET", "/bench/plain/")
START_SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Site:
    """A server that is up, and the load that it is put under."""

    database: Database
    port: int
    pid: int

    def load(self, messages: Iterator[bytes] | bytes, **how: Any) -> Measured:
        """Send over the usual connections; `how` as `benchmarks.client.load` takes it."""
        return load(self.port, messages, **{"connections": CONNECTIONS, **how})

    def ask(self, message: bytes) -> Reply:
        """Send one request; RuntimeError unless it succeeds."""
        reply = ask(self.port, message)
        if reply.status // 100 != 2:
            raise Refused(f"{message.splitlines()[0].decode()}: {reply.status} {reply.body[:300]!r}")
        return reply

    def warm(self) -> None:
        """Wait until every process serves.

        The socket listens before the processes behind it are there: the first answer comes once one is, and the load
        that nobody measures lasts until the others are, too.
        """
        self.ask(PLAIN)
        self.load(PLAIN, seconds=3)


@contextlib.contextmanager
def ours(database: Database, *, with_worker: bool = False) -> Iterator[Site]:
    """Run `manage.py serve`, as an operator does, until the block ends."""
    port = free_port()
    with running(serve(port, with_worker=with_worker), database.environment, port) as pid:
        site = Site(database, port, pid)
        site.warm()
        yield site


@contextlib.contextmanager
def gunicorn(database: Database) -> Iterator[Site]:
    """Run gunicorn's sync workers, for scale, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "incident_response.wsgi", "--workers", str(PROCESSES)]
    with running([*command, "--bind", f"{HOST}:{port}", "--log-level", "error"], database.environment, port) as pid:
        site = Site(database, port, pid)
        site.warm()
        yield site


def serve(port: int, *, with_worker: bool) -> list[str]:
    """Return the command of our server."""
    command = [sys.executable, "manage.py", "serve", "--processes", str(PROCESSES), "--port", str(port)]
    return command if with_worker else [*command, "--no-worker"]


def client_ceiling() -> float:
    """Return the requests per second that the client manages against a server that does nothing."""
    port = free_port()
    with running([sys.executable, "-m", "benchmarks.client", str(port)], dict(os.environ), port):
        return load(port, PLAIN, connections=CONNECTIONS, seconds=2).rate


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], port: int) -> Iterator[int]:
    """Run a server until the block ends; yields its process id once it listens."""
    log = Path(f"/tmp/bench-{port}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_listening(process, port, log)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.unlink(missing_ok=True)


def _wait_until_listening(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{process.args} does not answer:\n{log.read_text()[-2000:]}")


# --- Memory -----------------------------------------------------------------------------------------------------------


def web_processes(pid: int) -> list[int]:
    """The processes that answer: children of the supervisor."""
    children = [
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _parent_of(entry) == pid
    ]
    return sorted(children)


def _parent_of(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return None  # it ended while we looked


def resident(pid: int) -> dict[str, float]:
    """MB in memory: all of it, and by kind (anonymous is what the process itself holds; files can be dropped)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kinds = {"VmRSS": "all", "RssAnon": "anonymous", "RssFile": "files"}
    found = (line.split() for line in lines if line.split(":")[0] in kinds)
    return {kinds[words[0].rstrip(":")]: int(words[1]) / 1024 for words in found}


class MemoryWatch:
    """Notes the most that any of the processes grew by, while the block runs."""

    def __init__(self, pids: list[int]) -> None:
        self.pids = pids
        self.growth = self.anonymous_growth = 0.0

    def __enter__(self) -> "MemoryWatch":
        self.before = {pid: resident(pid) for pid in self.pids}
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def _watch(self) -> None:
        while not self.done.wait(0.1):
            for pid, before in self.before.items():
                now = resident(pid)
                self.growth = max(self.growth, now["all"] - before["all"])
                self.anonymous_growth = max(self.anonymous_growth, now["anonymous"] - before["anonymous"])

    def __exit__(self, *error: object) -> None:
        self.done.set()
        self.thread.join()
