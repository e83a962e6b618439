"""What an open list holds after hundreds of live updates."""

from typing import TYPE_CHECKING

from benchmarks.console.weight import PERSON
from benchmarks.report import Line
from e2e.browser.site import person
from e2e.server import eventually

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

UPDATES = 500
LIMIT = 10  # MB
PATIENCE_SECONDS = 120
COUNT = "addEventListener('live:event', () => { window.__seen = (window.__seen ?? 0) + 1; }, true)"


def measure(page: "Page") -> float:
    """Return the MB by which the page's heap grew."""
    page.goto("/incidents/", wait_until="load")
    page.evaluate(f"document.{COUNT}")
    session = page.context.new_cdp_session(page)
    _update(1)
    _wait(page, 1)
    before = _held(session)
    _update(UPDATES)
    _wait(page, UPDATES + 1)
    return (_held(session) - before) / 1e6


def lines(growth: float) -> list[Line]:
    """Return what must be reached."""
    return [Line("open list", f"heap after {UPDATES} live updates, MB more", growth, LIMIT)]


def _update(number: int) -> None:
    from incidents.models import Incident
    from incidents.services import comment

    by = person("ada")
    incidents = list(Incident.objects.visible_to(person(PERSON)).order_by("-id")[:20])
    for place in range(number):
        comment(incidents[place % len(incidents)], "Looked at it again.", by=by)


def _wait(page: "Page", number: int) -> None:
    eventually(
        lambda: page.evaluate("window.__seen ?? 0") >= number,
        f"{number} live updates",
        but=lambda: page.evaluate("window.__seen ?? 0"),
        seconds=PATIENCE_SECONDS,
    )


def _held(session: "CDPSession") -> float:
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"])
