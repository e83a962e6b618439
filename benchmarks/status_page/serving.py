"""Measure the page as visitors get it: requests a second, and how soon what is published is visible."""

import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import server
from benchmarks.client import ask, request
from benchmarks.databases import Database
from benchmarks.server import Site

PAGE = request("GET", "/status/", headers="Accept-Language: de\r\nAccept-Encoding: gzip\r\n")
EMPTY = request("GET", "/bench/empty/")
PATIENCE = 30.0  # seconds
LOOK_SECONDS = 0.02
ROUNDS = 3


@dataclass
class Served:
    """Requests a second of the page and of an empty view, in turns; seconds from a publication's answer to the page."""

    page: list[float] = field(default_factory=list)
    empty: list[float] = field(default_factory=list)
    visible: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return statistics.median(self.page) / statistics.median(self.empty)

    @property
    def slowest(self) -> float:
        """Return the 95th percentile of seconds until visible."""
        return sorted(self.visible)[max(-(-95 * len(self.visible) // 100) - 1, 0)]


def measure_serving(engine: str, seconds: float, publications: int) -> Served:
    """Serve a page with components and history, load it, and publish beside the worker."""
    folder = tempfile.mkdtemp(prefix="bench-status-")
    database = _Rooted(engine, 0, "status", root=folder)
    database.clear()
    database.create()
    try:
        token = database.inside("status_page.subscribers.furnish")
        with server.ours(database, with_worker=True) as site:
            _wait_for_page(site)
            found = Served()
            for _round in range(ROUNDS):
                found.empty.append(site.load(EMPTY, seconds=seconds).rate)
                found.page.append(site.load(PAGE, seconds=seconds).rate)
            found.visible = [_publish(site, token, number) for number in range(publications)]
            return found
    finally:
        database.clear()
        shutil.rmtree(folder)


@dataclass(frozen=True)
class _Rooted(Database):
    root: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "STATUS_ROOT": str(Path(self.root) / "status")}


def _wait_for_page(site: Site) -> None:
    ends = time.monotonic() + PATIENCE
    while ask(site.port, PAGE).status != 200:
        if time.monotonic() > ends:
            raise RuntimeError("The page was not written.")
        time.sleep(0.2)


def _publish(site: Site, token: str, number: int) -> float:
    """Publish an incident; return the seconds from the answer until a visitor sees its title."""
    title = f"Outage {number} of {time.time_ns()}"
    body = {"title": title, "message": "We are looking into it.", "impact": "degraded", "components": []}
    site.ask(request("POST", "/api/v1/status/incidents/", token=token, body=body))
    begun, plain = time.monotonic(), request("GET", "/status/status.json")
    while title.encode() not in ask(site.port, plain).body:
        if time.monotonic() - begun > PATIENCE:
            raise RuntimeError("What was published did not appear.")
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - begun
