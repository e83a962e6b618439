"""Pages must survive: workers killed at named points and at random, database and broker restarted, mail servers that
refuse and hang. `python -m benchmarks.paging.chaos [--incidents 2000] [--database …] [--engine …]`
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import own_rabbitmq
from benchmarks.databases import ENGINES, ROOT, Database
from benchmarks.own_server import own_server
from benchmarks.paging import sinks
from benchmarks.paging.faults import AFTER_CLAIM, BEFORE_CANCEL, BEFORE_CLAIM, BEFORE_COMMIT
from benchmarks.paging.workers import CELERY, Worker
from benchmarks.report import Line, limits_table

PER_SECOND = 50.0
REFUSED, HANGING = 33, 10  # of a hundred connections
WORKERS = 3
KILL_EVERY = 8.0
DRAIN_SECONDS = 900.0
AFTER = {BEFORE_CLAIM: 2, AFTER_CLAIM: 1, BEFORE_COMMIT: 1, BEFORE_CANCEL: 5}  # passed before it strikes
SMALL = 1000  # incidents, below which a single kill is more than one in a hundred


@dataclass
class Chaos:
    """One run."""

    database: Database
    restart_database: Callable[[], None] | None
    restart_broker: Callable[[], None] | None
    environment: dict[str, str]
    incidents: int
    folder: Path
    workers: list[Worker] = field(default_factory=list)
    people: list["_Person"] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    kills: int = 0
    restarts: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    @property
    def faults(self) -> Path:
        return self.folder / "faults"

    def fault(self, point: str) -> dict[str, str]:
        return {"FAULT_POINT": point, "FAULT_AFTER": str(AFTER[point]), "FAULT_FILE": str(self.faults)}

    def keep_workers(self) -> None:
        """Start workers that ended, the next planned fault with each that delivers."""
        for worker in self.workers:
            if not worker.is_running:
                delivers = "benchmarks.paging.faults" in worker.command
                worker.fault = self.planned.pop(0) if delivers and self.planned else ""
                worker.start(**(self.fault(worker.fault) if worker.fault else {}))

    def kill_all(self) -> None:
        for worker in self.workers:
            if worker.is_running:
                worker.kill()
        for person in self.people:
            person.process.kill()

    @property
    def is_planned(self) -> bool:
        """Return whether a kill at a named point is still to come."""
        return bool(self.planned) or any(worker.fault and worker.is_running for worker in self.workers)


def run(chaos: Chaos, sink: sinks.Sink) -> dict[str, Any]:
    """Report, acknowledge, kill and restart; then wait until nothing is left to do, and judge."""
    teams = chaos.database.inside("paging.world.people", chaos.incidents)
    repeats = 2 if chaos.incidents >= SMALL else 1
    chaos.planned = [point for _ in range(repeats) for point in (BEFORE_CLAIM, AFTER_CLAIM, BEFORE_COMMIT)]
    acknowledged = chaos.incidents // 4
    chaos.keep_workers()
    chaos.people = [
        _Person(chaos, "report", 0, chaos.incidents, teams),
        _Person(chaos, "acknowledge", chaos.incidents - acknowledged, acknowledged, [], faults=repeats),
    ]
    began = time.monotonic()
    _storm(chaos)
    busy = time.monotonic() - began
    seconds = _drain(chaos)
    is_clean = _stop(chaos)
    arguments = (str(chaos.incidents), str(acknowledged), str(sink.file), str(chaos.faults))
    found: dict[str, Any] = chaos.database.inside("paging.judging.judge", *arguments)
    unfired = sum(max(0, repeats - of_point["struck"]) for of_point in found["points"].values())
    return {**found, "busy": busy, "drained": seconds, "is_clean": is_clean, "unfired": unfired}


class _Person:
    """Reports or acknowledges in a process of its own, which is started again until it has done all."""

    def __init__(
        self, chaos: Chaos, action: str, first: int, number: int, teams: list[int], *, faults: int = 0
    ) -> None:
        self.chaos, self.faults, self.is_done = chaos, faults, False
        arguments = [action, str(first), str(number), str(PER_SECOND), *map(str, teams)]
        self.command = [sys.executable, "-m", "benchmarks.paging.people", *arguments]
        self.log = (chaos.folder / action).open("wb")
        self._start()

    def _start(self) -> None:
        fault = self.chaos.fault(BEFORE_CANCEL) if self.faults else {}
        self.faults -= bool(fault)
        environment = {**self.chaos.environment, **fault}
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=environment, stdout=self.log, stderr=self.log)

    def keep(self) -> None:
        if self.is_done or self.process.poll() is None:
            return
        self.is_done = self.process.returncode == 0
        if not self.is_done:
            self._start()


def _storm(chaos: Chaos) -> None:
    """Kill and restart until everything was reported and acknowledged, and all planned faults struck."""
    length = chaos.incidents / PER_SECOND
    begun = time.monotonic()
    kill_at = begun + KILL_EVERY
    outages = _outages(chaos, begun, length)
    limit = begun + 6 * length + 240
    while not all(person.is_done for person in chaos.people) or (chaos.is_planned and time.monotonic() < limit):
        for person in chaos.people:
            person.keep()
        chaos.keep_workers()
        for moment, name, restart in list(outages):
            if time.monotonic() >= moment:
                outages.remove((moment, name, restart))
                restart()
                chaos.restarts.append(name)
        if time.monotonic() >= kill_at and (ready := [one for one in chaos.workers if one.is_ready and not one.fault]):
            chaos.chance.choice(ready).kill()
            chaos.kills += 1
            kill_at = time.monotonic() + KILL_EVERY
        time.sleep(0.1)


def _outages(chaos: Chaos, begun: float, length: float) -> list[tuple[float, str, Callable[[], None]]]:
    found: list[tuple[float, str, Callable[[], None]]] = []
    if chaos.restart_database is not None:
        found += [(begun + length * part, "database", chaos.restart_database) for part in (1 / 3, 2 / 3)]
    if chaos.restart_broker is not None:
        found.append((begun + length / 2, "broker", chaos.restart_broker))
    return found


def _drain(chaos: Chaos) -> float:
    """Wait until nothing is left to do; return the seconds."""
    begun = time.monotonic()
    while time.monotonic() - begun < DRAIN_SECONDS:
        chaos.keep_workers()
        if chaos.database.inside("paging.judging.is_settled", chaos.incidents):
            break
        time.sleep(1)
    return time.monotonic() - begun


def _stop(chaos: Chaos) -> bool:
    """Have all workers finish; return whether each said that it did."""
    for worker in chaos.workers:
        worker.stop()
    codes = [worker.process.returncode for worker in chaos.workers if worker.process is not None]
    return all(code == 0 for code in codes)


def _workers(engine: str, environment: dict[str, str], folder: Path) -> list[Worker]:
    wrapped = [sys.executable, "-m", "benchmarks.paging.faults"]
    if engine == "embedded":
        return [Worker([*wrapped, "worker"], environment, folder / f"worker-{number}") for number in range(WORKERS)]
    queues = {"general": ["-c", "2"], "deliver": ["--pool", "threads", "-c", "20"]}
    general = [sys.executable, *CELERY, "-Q", "incident_response.general", *queues["general"]]
    deliver = [*wrapped, "celery", *CELERY[2:], "-Q", "incident_response.deliver", *queues["deliver"]]
    return [
        Worker([sys.executable, "manage.py", "worker"], environment, folder / "ticker"),
        Worker([*general, "-n", "general@%h"], environment, folder / "general"),
        *(Worker([*deliver, "-n", f"deliver{one}@%h"], environment, folder / f"deliver-{one}") for one in range(3)),
    ]


@contextlib.contextmanager
def _broker(engine: str) -> Iterator[tuple[dict[str, str], Callable[[], None] | None]]:
    if engine == "embedded":
        yield {}, None
        return
    with own_rabbitmq.own_rabbitmq() as (url, restart):
        yield {"ENGINE": "celery", "BROKER_URL": url}, restart


def chaos(database_engine: str, engine: str, incidents: int) -> tuple[Chaos, dict[str, Any]]:
    """Run it on a database (and a broker) of its own."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    with contextlib.ExitStack() as stack:
        database, restart_database = stack.enter_context(own_server(database_engine, "pagingchaos"))
        settings, restart_broker = stack.enter_context(_broker(engine))
        sink = stack.enter_context(sinks.running("smtp", refused=REFUSED, hanging=HANGING))
        database.clear()
        database.create()
        environment = {**database.environment, **settings, "EMAIL_URL": sink.url}
        made = Chaos(database, restart_database, restart_broker, environment, incidents, folder)
        made.workers = _workers(engine, environment, folder)
        stack.callback(made.kill_all)
        return made, run(made, sink)


def lines(made: Chaos, found: dict[str, Any]) -> Iterator[Line]:
    """Yield what must hold."""
    total = made.incidents
    yield Line("incidents as reported", "missing or doubled", found["incidents_wrong"], 0)
    yield Line("pages, one an incident", "missing or doubled", found["pages_wrong"], 0)
    yield Line("due pages", "never delivered", found["undelivered"], 0)
    doubles, what = found["doubles"], "of the pages, %"
    if total < SMALL:
        doubles, what = doubles - found["expected_doubles"], "of the pages, %, but for those at named points"
    yield Line("doubles", what, 100 * doubles / total, 1.0)
    yield Line("doubles that the ledger does not explain", "number", found["unexplained_doubles"], 0)
    yield Line("deliveries, events and escalations", "stuck", found["stuck"], 0)
    yield Line("rows of the ledger", "that do not add up", len(found["ledger_faults"]), 0)
    yield Line("attempts after an acknowledgement", "number", found["late_attempts"], 0)
    yield Line("timelines", "faults", found["timeline_faults"], 0)
    for point, of_point in found["points"].items():
        yield Line(f"killed {point}, {of_point['struck']} times", "not as expected", of_point["wrong"], 0)
    yield Line("named kills that did not strike", "number", found["unfired"], 0)


def section(database_engine: str, engine: str, made: Chaos, found: dict[str, Any]) -> str:
    """Return the part of the page."""
    restarts = (
        ", ".join(f"{name} {made.restarts.count(name)} times" for name in sorted(set(made.restarts))) or "nothing"
    )
    points = "; ".join(
        f"{point}: {of_point['listed']} deliveries under way, {of_point['sent']} messages for them"
        for point, of_point in found["points"].items()
    )
    return "\n\n".join(
        [
            f"### {ENGINES[database_engine]}, {engine}",
            limits_table(list(lines(made, found))),
            f"{made.incidents:,} incidents at {PER_SECOND:.0f} a second, a quarter acknowledged. Kills at random: "
            f"{made.kills}. Restarted: {restarts}. {found['messages']:,} messages for {found['delivered']:,} pages, "
            f"{found['doubles']} doubles, {found['expected_doubles']} of them at named points; {found['withdrawn']:,} "
            f"withdrawn unsent; {found['attempts']:,} attempts, {found['interrupted']} of them interrupted. "
            f"Everything was done {found['drained']:.0f} s after the last report. {points}.",
            *(f"- {fault}" for fault in found["ledger_faults"][:10]),
        ]
    )


def main() -> int:
    """Return 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog="benchmarks.paging.chaos", description=__doc__)
    parser.add_argument("--incidents", type=int, default=2000)
    parser.add_argument("--database", choices=["sqlite", "mariadb", "both"], default="both")
    parser.add_argument("--engine", choices=["embedded", "celery", "both"], default="both")
    options = parser.parse_args()
    os.environ.update(Database("sqlite", 0).environment)
    import django

    django.setup()  # chooses MariaDB's driver
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends what it started
    databases = ["mariadb", "sqlite"] if options.database == "both" else [options.database]
    engines = ["embedded", "celery"] if options.engine == "both" else [options.engine]
    missed = 0
    for database, engine in itertools.product(databases, engines):
        if engine == "celery" and not own_rabbitmq.is_here():
            print("No RabbitMQ is installed: the Celery run is left out.")
            continue
        made, found = chaos(database, engine, options.incidents)
        missed += sum(not line.is_reached for line in lines(made, found))
        print(f"\n{section(database, engine, made, found)}\n", flush=True)
        if not found["is_clean"] or any(not line.is_reached for line in lines(made, found)):
            print(f"Logs: {made.folder}\n{json.dumps(found)[:3000]}")
    print(f"{missed} limits missed." if missed else "All limits reached.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
