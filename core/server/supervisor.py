"""Keep children running, and stop them together."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import structlog

from core.server.stopping import StopSignals

log = structlog.get_logger(__name__)

GRACE_SECONDS = 35.0  # until SIGKILL
HEALTHY_SECONDS = 10.0  # a good start
MAX_DELAY_SECONDS = 30.0
FAILING_STARTS = 2  # in a row
TICK_SECONDS = 0.1


@dataclass(frozen=True)
class Failing:
    """A child that keeps ending early."""

    name: str
    exit_code: int
    failed_starts: int


@dataclass
class Child:
    name: str
    command: Sequence[str]
    pass_fds: Sequence[int] = ()
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_after: float = 0.0
    failed_starts: int = 0
    exit_code: int = 0

    def start(self) -> None:
        """Run the command; its standard input ends with us (see `stop_with_parent`)."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 (our own commands)
            self.command,
            stdin=subprocess.PIPE,
            bufsize=0,
            pass_fds=self.pass_fds,
            env={**os.environ, **self.env},
            start_new_session=True,
        )
        if self.process.stdin is not None:
            os.set_blocking(self.process.stdin.fileno(), False)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tell(self, line: bytes) -> None:
        """Write a line to its standard input, if it reads."""
        if self.process is not None and self.process.stdin is not None:
            try:
                self.process.stdin.write(line)
            except OSError as error:
                log.warning("child does not listen", child=self.name, error=str(error))


class Supervisor:
    def __init__(self, children: Sequence[Child], grace_seconds: float = GRACE_SECONDS) -> None:
        self.children = children
        self.grace_seconds = grace_seconds
        self.signals = StopSignals()
        self._told: list[Failing] = []

    def run(self, on_stopping: Callable[[], object] = lambda: None) -> None:
        """Block until SIGTERM or SIGINT; call `on_stopping` before telling children."""
        try:
            while not self.signals.wait(TICK_SECONDS):
                for child in self.children:
                    self._keep(child)
                self._tell()
        finally:
            self.signals.ignore()
            on_stopping()
            self._stop_all()

    def _keep(self, child: Child) -> None:
        """Start the child unless it runs; the oftener it failed, the later."""
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_after:
                self._start(child)
        elif (code := child.process.poll()) is not None:
            _close_input(child.process)
            child.process = None
            self._put_off(child, now, code)
        elif now - child.started >= HEALTHY_SECONDS:
            child.failed_starts = 0

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:  # no processes or memory left
            log.error("child cannot be started", child=child.name, error=str(error))
            self._put_off(child, time.monotonic(), error.errno or 1)
        else:
            child.tell(_line(self._told))

    def _put_off(self, child: Child, now: float, code: int) -> None:
        child.failed_starts = 0 if now - child.started >= HEALTHY_SECONDS else child.failed_starts + 1
        child.exit_code = code
        delay = min(MAX_DELAY_SECONDS, 0.25 * 2**child.failed_starts) if child.failed_starts else 0.0
        child.start_after = now + delay
        say = log.error if child.failed_starts >= FAILING_STARTS else log.warning
        say("child ended; starting it again", child=child.name, exit_code=code, delay_seconds=delay)

    def _tell(self) -> None:
        failing = [
            Failing(child.name, child.exit_code, child.failed_starts)
            for child in self.children
            if child.failed_starts >= FAILING_STARTS
        ]
        if failing != self._told:
            self._told = failing
            for child in self.children:
                child.tell(_line(failing))

    def _stop_all(self) -> None:
        running = [child for child in self.children if child.is_running()]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + self.grace_seconds
        while any(child.is_running() for child in running) and time.monotonic() < deadline:
            time.sleep(TICK_SECONDS / 2)
        for child in running:
            if child.is_running():
                log.warning("child did not stop in time; killing it", child=child.name)
                _signal(child, signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
                _close_input(child.process)


class Report:
    """The children that fail, as the supervisor last reported."""

    def __init__(self) -> None:
        self.failing: list[Failing] = []

    def take(self, line: bytes) -> None:
        self.failing = [Failing(**one) for one in json.loads(line)]


last_report = Report()


def stop_with_parent() -> None:
    """Listen to the supervisor, and end this process with it (SIGTERM)."""

    def watch() -> None:
        rest = b""
        while piece := os.read(sys.stdin.fileno(), 4096):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                last_report.take(line)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _line(failing: list[Failing]) -> bytes:
    return json.dumps([asdict(one) for one in failing]).encode() + b"\n"


def _signal(child: Child, number: signal.Signals) -> None:
    if child.process is not None:
        child.process.send_signal(number)


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
