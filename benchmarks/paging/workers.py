"""Workers that run while something is measured: embedded, or Celery's."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import ROOT, Database

READY_SECONDS = 180.0
READY_WORDS = (b"Worker running", b"Having Celery run", b"[tasks]")
CELERY = ("-m", "celery", "-A", "incident_response", "worker", "--without-gossip", "--without-mingle", "-l", "warning")


@dataclass
class Worker:
    """A process that runs jobs."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0
    fault: str = ""  # at which it is to be killed

    @property
    def is_ready(self) -> bool:
        """Return whether it has said, since its last start, that it runs."""
        said = self.log.read_bytes() if self.log.exists() else b""
        return self.is_running and sum(said.count(word) for word in READY_WORDS) >= self.starts

    def start(self, **more: str) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env={**self.environment, **more}, stdout=output, stderr=output
            )
        self.starts += 1

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it without a word, with the processes it started."""
        if self.process is not None:
            for pid in [*children_of(self.process.pid), self.process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait for what is under way."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=45)
            except subprocess.TimeoutExpired:
                self.kill()


def children_of(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def embedded(environment: Mapping[str, str], log: Path, *groups: str, through: tuple[str, ...] = ()) -> Worker:
    """Return a worker of these groups of jobs, or of all; `through` a module that runs it."""
    start = ["-m", *through] if through else ["manage.py"]
    only = ["--only", *groups] if groups else []
    return Worker([sys.executable, *start, "worker", *only], dict(environment), log)


@contextlib.contextmanager
def several(database: Database, number: int, *groups: str, **settings: str) -> Iterator[list[Worker]]:
    """Run so many workers until the block ends; they are ready when it begins."""
    log = Path(f"/tmp/bench-workers-{os.getpid()}.log")
    made = [embedded({**database.environment, **settings}, log, *groups) for _ in range(number)]
    try:
        for worker in made:
            worker.start()
        wait_until_ready(log, number)
        yield made
    finally:
        for worker in made:
            if worker.is_running and worker.process is not None:
                worker.process.send_signal(signal.SIGTERM)
        for worker in made:
            if worker.is_running:
                worker.stop()
        log.unlink(missing_ok=True)


def wait_until_ready(log: Path, number: int) -> None:
    """Wait until so many workers have said that they run."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if log.exists() and log.read_bytes().count(b"Worker running") >= number:
            time.sleep(1.0)  # each thread connects
            return
        time.sleep(0.05)
    raise RuntimeError(f"a worker does not start:\n{log.read_text()[-2000:]}")
