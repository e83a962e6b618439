"""Nothing may be done twice, and every run must end in what is true, whoever is killed when.

`python -m benchmarks.remediation.chaos [--kills 100] [--database sqlite|mariadb|both]`
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import server
from benchmarks.client import HOST
from benchmarks.databases import ENGINES, ROOT, Database
from benchmarks.report import Line, limits_table

WORKERS = 3
LIVE = 6  # runs at once
LEASE = 3  # seconds
RANDOM_KILL_EVERY = 1.5
STORM_SECONDS, DRAIN_SECONDS = 1500.0, 180.0
KINDS = ("fine", "fine", "fine", "fine", "lies", "breaks", "refuses")


@contextmanager
def counting_server() -> Iterator[int]:
    """Run the system that is acted on, in a process of its own; yield its port."""
    port = server.free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.remediation.counting", str(port)], cwd=ROOT)
    try:
        for _ in range(100):
            try:
                told(port)
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def told(port: int) -> dict[str, Any]:
    import urllib.request

    with urllib.request.urlopen(f"http://{HOST}:{port}/told", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def storm(database: Database, kills: int) -> dict[str, Any]:
    """Kill so many workers while runs are executed, let the others finish, and judge."""
    own = {"OUTBOUND_ALLOW": "127.0.0.0/8", "REMEDIATION_LEASE_SECONDS": str(LEASE)}
    os.environ.update({**database.environment, **own})
    import django

    django.setup()  # chooses MariaDB's driver
    database.clear()
    database.create()
    from benchmarks.remediation import judging
    from benchmarks.remediation.workers import Crew

    chance = random.Random(11)
    log = Path(tempfile.mkdtemp(prefix="chaos-")) / "workers.log"
    crew = Crew(WORKERS, log, chance)
    with counting_server() as port:
        world = judging.World(f"http://{HOST}:{port}")
        begun = last = time.monotonic()
        try:
            while crew.killed < kills and time.monotonic() - begun < STORM_SECONDS:
                world.settle()
                world.fill(LIVE, chance.choice(KINDS))
                crew.keep(is_storm=True)
                if time.monotonic() - last > RANDOM_KILL_EVERY:
                    crew.kill_one()
                    last = time.monotonic()
                time.sleep(0.05)
            crew.replace()
            deadline = time.monotonic() + DRAIN_SECONDS
            while world.live() and time.monotonic() < deadline:
                crew.keep(is_storm=False)
                time.sleep(0.2)
            world.settle()
        finally:
            crew.end(lambda pid: os.kill(pid, signal.SIGKILL))
        found = judging.judge(told(port))
    found["taken"] = world.taken
    return {**found, "kills": crew.killed, "by_point": crew.kills, "seconds": time.monotonic() - begun, "log": str(log)}


def lines(found: dict[str, Any], kills: int) -> Iterator[Line]:
    """Yield what must hold."""
    yield Line("workers killed", "number", found["kills"], kills, at_least=True)
    yield Line("calls with the same key", "more than once", found["doubles"], 0)
    yield Line("changes of a target by a step", "more than once", found["repeated"], 0)
    yield Line("runs", "that never end", found["unended"], 0)
    yield Line("runs", "whose state is not true", len(found["untrue"]), 0)
    yield Line("targets", "that stay held once settled", found["held"], 0)
    yield Line("proposals", "on what an unsettled run holds", found["taken"], 0)
    yield Line("timelines", "faults", found["timeline_faults"], 0)


def main() -> int:
    """Return 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog="benchmarks.remediation.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=["sqlite", "mariadb", "both"], default="both")
    options = parser.parse_args()
    if options.database == "both":  # each in a process of its own: Django knows one database
        command = [sys.executable, "-m", "benchmarks.remediation.chaos", "--kills", str(options.kills), "--database"]
        return max([subprocess.run([*command, engine], cwd=ROOT).returncode for engine in ("mariadb", "sqlite")])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends what it started
    found = storm(Database(options.database, 0, "remediationchaos"), options.kills)
    limits = list(lines(found, options.kills))
    points = ", ".join(f"{number} {point}" for point, number in sorted(found["by_point"].items()))
    states = ", ".join(f"{number} {state}" for state, number in sorted(Counter(found["states"]).items()))
    print(f"\n### {ENGINES[options.database]}\n\n{limits_table(limits)}\n")
    print(f"Killed: {points}. Runs: {states}. {found['calls']:,} calls, {found['seconds']:.0f} s.\n", flush=True)
    missed = [line for line in limits if not line.is_reached]
    if missed:
        print(f"Logs: {found['log']}\n" + "\n".join(map(str, found["untrue"][:10])))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
