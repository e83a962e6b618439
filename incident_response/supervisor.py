"""Keeps child processes running: one that ends is started again, and all of them stop together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

GRACE_SECONDS = 10.0  # from SIGTERM to SIGKILL
HEALTHY_SECONDS = 10.0  # a child that lived this long had started well
MAX_DELAY_SECONDS = 5.0
MAX_FAILED_STARTS = 5
TICK_SECONDS = 0.1


@dataclass
class Child:
    """A command that is to be running."""

    name: str
    command: Sequence[str]
    pass_fds: Sequence[int] = ()
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_after: float = 0.0
    failed_starts: int = 0

    def start(self) -> None:
        """Run the command. Its standard input is a pipe that ends with us: see `stop_with_parent`."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 (our own commands)
            self.command,
            stdin=subprocess.PIPE,
            pass_fds=self.pass_fds,
            env={**os.environ, **self.env},
            start_new_session=True,
        )

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs children until told to stop."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = children
        self.stopping = threading.Event()

    def run(self) -> int:
        """Block until SIGTERM or SIGINT (returns 0), or until a child cannot be kept running (returns 1)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            while not self.stopping.is_set():
                if not all(self._keep(child) for child in self.children):
                    return 1
                self.stopping.wait(TICK_SECONDS)
            return 0
        finally:
            self._stop_all()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping.set()

    def _keep(self, child: Child) -> bool:
        """Start the child if it is not running; False when it keeps failing."""
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_after:
                child.start()
            return True
        code = child.process.poll()
        if code is None:
            return True
        lived = now - child.started
        child.failed_starts = 0 if lived >= HEALTHY_SECONDS else child.failed_starts + 1
        if child.failed_starts >= MAX_FAILED_STARTS:
            log.error("child keeps failing; giving up", child=child.name, exit_code=code)
            return False
        delay = min(MAX_DELAY_SECONDS, 0.25 * 2**child.failed_starts) if child.failed_starts else 0.0
        log.warning("child ended; starting it again", child=child.name, exit_code=code, delay_seconds=delay)
        _close_input(child.process)
        child.process, child.start_after = None, now + delay
        return True

    def _stop_all(self) -> None:
        running = [child for child in self.children if child.is_running()]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while any(child.is_running() for child in running) and time.monotonic() < deadline:
            time.sleep(TICK_SECONDS / 2)
        for child in running:
            if child.is_running():
                log.warning("child did not stop in time; killing it", child=child.name)
                _signal(child, signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
                _close_input(child.process)


def stop_with_parent() -> None:
    """In a child: end this process (by SIGTERM) when the supervisor is gone, however it went."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _signal(child: Child, number: signal.Signals) -> None:
    if child.process is not None:
        child.process.send_signal(number)


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
