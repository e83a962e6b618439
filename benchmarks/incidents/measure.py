"""Measure one data set in turns with a small one and with views that do nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from benchmarks import client, server
from benchmarks.client import Measured, Reply, request
from benchmarks.databases import Database
from benchmarks.incidents import cases
from benchmarks.server import CONNECTIONS, Site
from benchmarks.turns import percentile, rate, take_turns

SMALL = 1_000
WARM_UP = 0.2  # seconds of each turn that are not counted

Load = Callable[[], Measured]


@dataclass(frozen=True)
class Pace:
    """How often each thing is measured, and for how many seconds at a time."""

    turns: int
    seconds: float


PACES = {"quick": Pace(10, 0.4), "full": Pace(8, 1.5)}


@dataclass
class Figures:
    """What one kind of request showed: its turns on the `large` data set and those of its rivals."""

    title: str
    turns: dict[str, list[Measured]]
    queries: int | None = None
    connections: int = CONNECTIONS

    def time(self, name: str = "large", percent: int = 50) -> float:
        """Return milliseconds."""
        return percentile(self.turns[name], percent)

    def rate(self, name: str = "large") -> float:
        """Return requests per second."""
        return rate(self.turns[name])


@dataclass
class Results:
    """All of one data set: megabytes, milliseconds."""

    database: Database
    figures: dict[str, Figures] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)


def measure(engine: str, size: int, pace: Pace) -> Results:
    """Return everything that is measured on the data set of this size."""
    large, small = Database(engine, size), Database(engine, SMALL)
    with ExitStack() as stack:
        run = Run(stack.enter_context(server.ours(large)), stack.enter_context(server.ours(small)), pace)
        with server.gunicorn(large) as gunicorn:
            run.yardsticks(gunicorn)
            # Reads before writes, so that reading meets the data set as it was made.
            run.reads()
            run.metrics()
            run.writes()
        run.export()
        run.memory()
    for database in (large, small):
        database.inside("incidents.upkeep.tidy", database.size)
    return run.results


class Run:
    """One measurement of two servers, whose results it gathers."""

    def __init__(self, large: Site, small: Site, pace: Pace) -> None:
        self.results, self.pace = Results(large.database), pace
        self.sites = {"large": large, "small": small}
        tokens = {name: site.database.inside("incidents.upkeep.tokens") for name, site in self.sites.items()}
        self.tokens = {name: found["responder"] for name, found in tokens.items()}
        self.admin_token = tokens["large"]["admin"]
        self.yardstick: dict[str, Load] = {}

    def yardsticks(self, gunicorn: Site) -> None:
        """Find which server answers each of them faster: others are compared with that one."""
        servers = {"our server": self.sites["large"], "gunicorn": gunicorn}
        for what, (title, message) in cases.YARDSTICKS.items():
            loads = {name: self._load(site, message) for name, site in servers.items()}
            found = take_turns(loads, self.pace.turns)
            for name, turns in found.items():
                self.results.figures[f"{what} {name}"] = Figures(f"{title}, {name}", {"large": turns})
            self.yardstick[what] = loads[max(found, key=lambda name: rate(found[name]))]

    def reads(self) -> None:
        """Ask for lists, searches, a detail and its timeline."""
        thousandth = cases.thousandth_page(self.sites["large"], self.tokens["large"])
        for case in [*cases.LISTS, *([thousandth] if thousandth else []), *cases.OTHERS]:
            loads = {name: self._load(site, self._get(case.path, name)) for name, site in self.sites.items()}
            loads["first"] = self._load(self.sites["small"], self._get(cases.FIRST_PAGE, "small"))
            rivals = {name: {**loads, **self.yardstick}[name] for name in ("large", *case.rivals)}
            self._note(case.key, case.title, rivals, self._queries(self._get(case.path)))

    def metrics(self) -> None:
        """Ask for what adds up all incidents, beside an aggregate of the database's own."""
        loads: dict[tuple[str, str], Load] = {("naive", "large"): self._naive}
        for case in cases.METRICS:
            for name, site in self.sites.items():
                how = {"connections": 1, "seconds": 120, "warm_up": 0, "at_most": case.times}
                loads[case.key, name] = partial(site.load, self._get(case.path, name), **how)
        found = take_turns(loads, self.pace.turns)
        for case in cases.METRICS:
            turns = {name: found[case.key, name] for name in self.sites} | {"naive": found["naive", "large"]}
            self.results.figures[case.key] = Figures(case.title, turns, self._queries(self._get(case.path)), 1)

    def writes(self) -> None:
        """Report incidents and move them on."""
        reports = {name: cases.Reports(token) for name, token in self.tokens.items()}
        loads = {
            name: self._load(site, reports[name].creation, reports[name].note) for name, site in self.sites.items()
        }
        loads["post"] = self.yardstick["post"]
        self._note("create", "create (JSON)", loads)
        # Counted afterwards: the first write of a process also looks up what it then knows for good.
        self.results.figures["create"].queries = self._queries(reports["large"].creation)
        moves = {name: made.moves() for name, made in reports.items()}
        queries = self._queries(next(moves["large"]))
        loads |= {name: self._load(site, moves[name]) for name, site in self.sites.items()}
        self._note("transition", "transition", loads, queries)

    def export(self) -> None:
        """Take the whole export, and its beginning a few times."""
        large = self.sites["large"]
        message = request("GET", f"{cases.API}/incidents/export/", token=self.admin_token)
        firsts = [client.stream(large.port, message, stop_after_first=True).first_byte for _ in range(5)]
        with server.MemoryWatch(server.web_processes(large.pid)) as watch:
            whole = client.stream(large.port, message)
        self.results.numbers |= {
            "export first byte": median(firsts) * 1000,
            "export seconds": whole.total,
            "export megabytes": whole.size / 1e6,
            "export growth": watch.growth,
            "export anonymous growth": watch.anonymous_growth,
        }

    def memory(self) -> None:
        """Look at what the server's processes hold after all that."""
        held = [server.resident(pid) for pid in server.web_processes(self.sites["large"].pid)]
        for kind in ("all", "anonymous", "files"):
            self.results.numbers[f"memory {kind}"] = max(of_one[kind] for of_one in held)

    def _note(self, key: str, title: str, loads: dict[str, Load], queries: int | None = None) -> None:
        self.results.figures[key] = Figures(title, take_turns(loads, self.pace.turns), queries)

    def _load(
        self, site: Site, messages: Iterator[bytes] | bytes, collect: Callable[[Reply], None] | None = None
    ) -> Load:
        return partial(site.load, messages, seconds=self.pace.seconds, warm_up=WARM_UP, collect=collect)

    def _get(self, path: str, name: str = "large") -> bytes:
        return request("GET", path, token=self.tokens[name])

    def _queries(self, message: bytes) -> int:
        counting = message.replace(b"Accept:", b"X-Count-Queries: 1\r\nAccept:", 1)
        return int(self.sites["large"].ask(counting).headers["x-query-count"])

    def _naive(self) -> Measured:
        started = time.perf_counter()
        self.results.database.query(cases.naive(self.results.database.engine))
        spent = time.perf_counter() - started
        return Measured(spent, [spent * 1000])
