"""How much a first visit loads, with nothing in the browser's cache."""

from typing import TYPE_CHECKING

from benchmarks.report import Line
from e2e.browser.relay import relayed
from e2e.browser.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SETTLE_MS = 1_500
PERSON = "ben"
LIMITS = {"/incidents/": 90, "/report/": 90, "/": 130}  # kB
TITLES = {"/incidents/": "list", "/report/": "report form", "/": "dashboard"}


def measure(site: Site, browser: "Browser") -> dict[str, float]:
    """Return the kB of each page's first visit."""
    found = {}
    with relayed(site.address) as (meter, address):
        for path in LIMITS:
            context = browser.new_context(base_url=address, viewport={"width": 390, "height": 844}, is_mobile=True)
            context.add_cookies([{**cookie, "url": address} for cookie in site.cookies(PERSON)])
            page = context.new_page()
            before = meter.sent
            page.goto(path, wait_until="load")
            page.wait_for_timeout(SETTLE_MS)
            found[path] = (meter.sent - before) / 1000
            context.close()
    return found


def lines(found: dict[str, float]) -> list[Line]:
    """Return what must be reached."""
    return [Line(TITLES[path], "first load, kB", found[path], limit) for path, limit in LIMITS.items()]
