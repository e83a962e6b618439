"""Run a tour: the commands of its page, by Bash, comparing what they print with what the page says they print.

A block `sh` runs in the tour's own shell; a block `text` after it is what it prints, where `…` stands for anything.
A block `sh terminal` is for a terminal of its own: a program that goes on running, until the tour ends.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO

from e2e.server import free_port
from tests.databases import ROOT

Process = subprocess.Popen[str]
TOURS = ROOT / "docs" / "tours"
BLOCK = re.compile(r"^```(?P<kind>[^\n`]+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
SHELL, TERMINAL, PRINTED = "sh", "sh terminal", "text"
SERVER_PORT = 8000
PORTS = (SERVER_PORT, 8089, 6443, 8012)  # of the server and the stand-ins, on the pages
START = "README.md"  # each tour begins with its steps
PYTHON = ".venv/bin/python"
ANYTHING = "…"
PAGE_SECONDS = 400
STOP_SECONDS = 30
MARK = "=== the step is over ==="


@dataclass(frozen=True)
class Step:
    """Commands and what they print; `line` is where they stand, counted through both pages."""

    line: int
    commands: str
    prints: str = ""
    is_terminal: bool = False

    @property
    def is_server(self) -> bool:
        return self.is_terminal and self.commands.startswith("make run")


def steps_of(text: str) -> list[Step]:
    """Return a page's steps. Raises ValueError for a block that belongs to nothing."""
    found: list[Step] = []
    for block in BLOCK.finditer(text):
        line, kind = text[: block.start()].count("\n") + 1, block["kind"]
        if kind in (SHELL, TERMINAL):
            found.append(Step(line, block["text"], is_terminal=kind == TERMINAL))
        elif kind == PRINTED and found and not found[-1].prints and not found[-1].is_terminal:
            found[-1] = replace(found[-1], prints=block["text"])
        else:
            raise ValueError(f"line {line}: the block “{kind}” belongs to no commands")
    return found


def is_said(prints: str, said: str) -> bool:
    """Return whether an output is what the page says."""
    pattern = ".*?".join(map(re.escape, prints.strip().split(ANYTHING)))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


class Tour:
    """A page, with other ports; leaving it ends all that it started.

    `serve` starts the server as a command such as `make run NAME=value` says, and returns when it answers.
    """

    def __init__(self, page: str, ports: Mapping[int, int], serve: Callable[[str], object]) -> None:
        self.page, self.ports, self.serve = page, ports, serve
        self._terminals = contextlib.ExitStack()

    def __enter__(self) -> "Tour":
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._terminals)
            command = ["bash", "-e", "-u"]
            errors = stack.enter_context(tempfile.TemporaryFile("w+"))
            self._shell = stack.enter_context(_started(command, errors, stdin=subprocess.PIPE))
            self._errors = errors
            timer = threading.Timer(PAGE_SECONDS, _end, [self._shell])
            timer.start()
            stack.callback(timer.cancel)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def steps(self) -> list[Step]:
        text = "\n".join((TOURS / name).read_text(encoding="utf-8") for name in (START, self.page))
        text = text.replace(PYTHON, sys.executable)
        for theirs, ours in self.ports.items():
            text = re.sub(rf"\b{theirs}\b", str(ours), text)
        return steps_of(text)

    def run(self) -> None:
        """Run all steps. Raises AssertionError where something else is printed."""
        for step in self.steps():
            self.take(step)

    def take(self, step: Step) -> str:
        """Run one step and return what it printed; of a terminal, nothing."""
        if step.is_server:
            self.serve(step.commands)
        elif step.is_terminal:
            process = self._terminals.enter_context(_started(["bash", "-c", f"exec {step.commands}"], None))
            assert process.stdout is not None and process.stdout.readline(), f"{self._at(step)}: it ended"
        else:
            said = self._said(step)
            if not is_said(step.prints, said):
                raise AssertionError(
                    f"{self._at(step)} should print\n{step.prints}\nand printed\n{said}{self._complaints()}"
                )
            return said
        return ""

    def _said(self, step: Step) -> str:
        shell = self._shell
        assert shell.stdin is not None and shell.stdout is not None
        shell.stdin.write(f"{step.commands}\necho '{MARK}'\n")
        shell.stdin.flush()
        lines: list[str] = []
        for line in shell.stdout:
            if line.strip() == MARK:
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"{self._at(step)} failed:\n{step.commands}\n{''.join(lines)}{self._complaints()}")

    def _complaints(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-3000:]

    def _at(self, step: Step) -> str:
        return f"docs/tours/{self.page}, line {step.line}"


def new_ports() -> dict[int, int]:
    """Return a free port for each port of the pages."""
    return {theirs: free_port() for theirs in PORTS}


def settings_of(command: str) -> dict[str, str]:
    """Return the variables of `make run NAME=value …`."""
    return dict(re.findall(r"\b([A-Z][A-Z_]+)=(\S+)", command))


@contextlib.contextmanager
def _started(command: list[str], errors: IO[str] | None, stdin: int = subprocess.DEVNULL) -> Iterator[Process]:
    """Start a process with a group of its own, which is ended on leaving."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stdin=stdin,
        stderr=errors,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
