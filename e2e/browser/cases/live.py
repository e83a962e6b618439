"""The list while things happen: nothing moves under the finger, one connection for all tabs."""

from typing import Any

from playwright.sync_api import Page, expect

from core.severity import Severity
from e2e.browser.case import BrowserCase
from e2e.browser.relay import relayed
from e2e.browser.site import person
from e2e.server import eventually

MANY = 50
TABS = 9
ALL = "/incidents/?ordering=-created_at"
HEAR = "document.addEventListener('live:event', () => { window.__seen = (window.__seen ?? 0) + 1; })"
SELECTED = 'tbody input[type="checkbox"]:checked'


def opened(number: int, title: str = "Sensor {} is silent") -> list[Any]:
    """Open so many incidents that Ada sees."""
    from incidents.services import NewIncident, open_incident

    by = person("ada")
    news = [NewIncident(title=title.format(place), severity=Severity.LOW, is_report=False) for place in range(number)]
    return [open_incident(new, by=by) for new in news]


class ListTests(BrowserCase):
    def places(self, page: Page) -> list[Any]:
        """Return where the first rows are, and what they say."""
        script = "(rows) => rows.slice(0, 8).map((row) => [row.getBoundingClientRect().y, row.innerText.slice(0, 60)])"
        found: list[Any] = page.locator("main tbody tr").evaluate_all(script)
        return found

    def test_it_moves_nothing_while_many_incidents_come_in(self) -> None:
        page = self.at("ada")
        page.goto(ALL)
        page.wait_for_timeout(1500)
        boxes = page.locator('main tbody input[type="checkbox"]')
        for number in range(5):
            boxes.nth(number).check()
        menu = page.locator("main details[data-menu]").first
        menu.locator("summary").click()
        before = self.places(page)

        opened(MANY)
        expect(page.locator("#new-rows")).to_contain_text(str(MANY), timeout=60_000)

        self.assertTrue(menu.evaluate("(menu) => menu.open"))
        self.assertEqual(page.locator(SELECTED).count(), 5)
        self.assertEqual(self.places(page), before)

    def test_it_keeps_nine_tabs_live_over_one_connection(self) -> None:
        with relayed(self.site.address) as (relay, address):
            context = self.context("ada", base_url=address)
            tabs = [self.tab(context) for _ in range(TABS)]
            for tab in tabs:
                tab.goto(ALL)
                tab.evaluate(HEAR)
            eventually(lambda: relay.streams("/live/") >= 1, "a stream", but=lambda: relay.open)

            opened(1, "Seen by nine tabs {}")

            for tab in tabs:
                eventually(lambda tab=tab: tab.evaluate("window.__seen ?? 0"), "each tab to hear of it", seconds=60)
            self.assertEqual(relay.streams("/live/"), 1)
