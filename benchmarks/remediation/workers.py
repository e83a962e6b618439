"""Workers that are forked from a process that has set Django up, and end at named points; production has no hooks."""

import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connections

AFTER_CLAIM = "after the claim"
AFTER_START = "started, before the call"
DURING_CALL = "during the call"
AFTER_ANSWER = "after the answer, before its commit"
AFTER_COMMIT = "after the result's commit"
POINTS = (AFTER_CLAIM, AFTER_START, DURING_CALL, AFTER_ANSWER, AFTER_COMMIT)
CALL_SECONDS = 0.02  # into a call


def start(log: Path, point: str = "", after: int = 0) -> int:
    """Fork a worker that is killed at a point once it was passed so often; return its process's id."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if point:
        _install(point, after)
    code = 1
    try:
        call_command("worker")
        code = 0
    except BaseException as error:  # noqa: BLE001 (a child must never return into its parent's code)
        sys.stderr.write(f"{error!r}\n")
    os._exit(code)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _install(point: str, after: int) -> None:
    """Have this process be killed at a point, once it was passed so often."""
    from remediation.services import engine

    left = [after]

    def passing(at: str, work: Any, then: Callable[[], None] = _die) -> None:
        # phases that change something are those that a crash leaves unknown
        if at != point or (work is not None and work.context.phase not in engine.ACTING):
            return
        left[0] -= 1
        if left[0] < 0:
            then()

    begin, perform, record = engine.begin, engine.perform, engine.record

    def begun(number: int, held: Any) -> Any:
        passing(AFTER_CLAIM, None)
        work = begin(number, held)
        if work is not None:
            passing(AFTER_START, work)
        return work

    def performed(work: Any) -> Any:
        passing(DURING_CALL, work, threading.Timer(CALL_SECONDS, _die).start)
        result = perform(work)
        passing(AFTER_ANSWER, work)
        return result

    def recorded(work: Any, result: Any) -> None:
        record(work, result)
        passing(AFTER_COMMIT, work)

    engine.begin, engine.perform, engine.record = begun, performed, recorded


class Crew:
    """Workers that are kept running; some are to end at a named point, others at random."""

    def __init__(self, number: int, log: Path, chance: random.Random) -> None:
        self.number, self.log, self.chance = number, log, chance
        self.running: dict[int, str] = {}
        self.kills: dict[str, int] = {}
        self.planned = 0

    def keep(self, *, is_storm: bool) -> None:
        """Count those that ended, and start others in their place."""
        for pid in [*self.running]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                point = self.running.pop(pid)
                if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
                    self.kills[point or "at random"] = self.kills.get(point or "at random", 0) + 1
        while len(self.running) < self.number:
            point = POINTS[self.planned % len(POINTS)] if is_storm and self.planned % 3 else ""
            self.planned += 1
            self.running[start(self.log, point, self.chance.randrange(4))] = point

    def kill_one(self) -> None:
        """Kill one that no named point waits for."""
        if free := [pid for pid, point in self.running.items() if not point]:
            os.kill(self.chance.choice(free), signal.SIGKILL)

    @property
    def killed(self) -> int:
        return sum(self.kills.values())

    def end(self, how: Callable[[int], None] = lambda pid: os.kill(pid, signal.SIGTERM)) -> None:
        for pid in self.running:
            how(pid)
        for pid in self.running:
            os.waitpid(pid, 0)
        self.running.clear()

    def replace(self) -> None:
        """Have workers without named points only."""
        for pid in [pid for pid, point in self.running.items() if point]:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            del self.running[pid]
