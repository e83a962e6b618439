"""Measure intake with no alert stored and with many, in turns with each other and with a view that does nothing."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from benchmarks import server
from benchmarks.client import Measured
from benchmarks.databases import Database
from benchmarks.intake import lines, loads
from benchmarks.intake.loads import KINDS, Flow
from benchmarks.intake.visible import visible
from benchmarks.server import PLAIN, Site
from benchmarks.turns import Turn, rate, take_turns

TURNS = 4


@dataclass
class IntakeResults:
    """What was found: by kind of load the turns at `none`, at many `stored`, and of the `plain` view."""

    engine: str
    size: int
    turns: dict[str, dict[str, list[Turn]]] = field(default_factory=dict)
    plain: dict[str, float] = field(default_factory=dict)  # a second, by server
    lines: dict[str, float] = field(default_factory=dict)  # a second
    visible: Measured = field(default_factory=lambda: Measured(1.0))
    wrong: list[str] = field(default_factory=list)

    def rate(self, what: str, name: str = "none") -> float:
        """Return the alerts a second of a load, until all were processed; or requests of the plain view."""
        return rate(self.turns[what][name]) * (1 if name == "plain" else KINDS[what].alerts)


def measure(engine: str, size: int, seconds: float) -> IntakeResults:
    """Return everything that is measured at no and at so many stored alerts, each load for so many seconds."""
    results = IntakeResults(engine, size)
    with ExitStack() as stack:
        sites: dict[str, Site] = {}
        for name, database in (("none", Database(engine, 0, "alerts")), ("stored", Database(engine, size, "alerts"))):
            make(database)
            sites[name] = stack.enter_context(server.ours(database, with_worker=True))
            loads.warm(sites[name])
        plain = _plain(results, sites["none"], stack.enter_context(server.gunicorn(sites["none"].database)), seconds)
        for what, kind in KINDS.items():
            flows = {name: Flow(site, kind) for name, site in sites.items()}
            takers = {name: partial(flow.run, seconds / TURNS) for name, flow in flows.items()}
            results.turns[what] = take_turns({**takers, "plain": plain}, TURNS)
            results.wrong += [fault for flow in flows.values() for fault in flow.faults()]
        results.lines = lines.rates(sites["none"], seconds)
        results.visible = visible(sites["none"], seconds)
    return results


def make(database: Database) -> None:
    """Make a data set: an empty one anew each time, one with alerts is filled once and kept."""
    if not database.size:
        database.clear()
    database.create()
    if database.size:
        print(f"{database.size:,} stored alerts, {database.engine} …", file=sys.stderr, flush=True)
        database.inside("intake.steps.fill", database.size)
        database.inside("intake.steps.tidy", database.size)


def _plain(results: IntakeResults, ours: Site, gunicorn: Site, seconds: float) -> Callable[[], Measured]:
    """Return a turn of the empty view on the server that answers it faster."""
    takers = {
        name: partial(site.load, PLAIN, seconds=seconds / TURNS, warm_up=0.2)
        for name, site in (("our server", ours), ("gunicorn", gunicorn))
    }
    results.plain = {name: rate(turns) for name, turns in take_turns(takers, TURNS).items()}
    return takers[max(results.plain, key=lambda name: results.plain[name])]
