"""Gates on every page, as each role sees it, in both themes."""

from collections.abc import Iterator

import httpx2
from playwright.sync_api import Page

from e2e.browser import checks
from e2e.browser.case import DESKTOP, BrowserCase
from e2e.browser.registry import Route, routes

PEOPLE = {"admin": "ada", "responder": "ben", "reporter": "hana", "nobody": ""}


class PageTests(BrowserCase):
    """Every page that answers 200 to somebody."""

    def test_it_meets_the_gates_on_every_page(self) -> None:
        seen: set[str] = set()
        for role, key in PEOPLE.items():
            page = self.at(key)
            found = dict(pages(self, key))
            print(f"{role}: {len(found)} pages")
            for route, address in found.items():
                with self.subTest(role=role, page=route.name):
                    self.faults.clear()
                    page.goto(address, wait_until="load")
                    faults = self.looked_at(page, is_first=route.name not in seen)
                    seen.add(route.name)
                    self.assertEqual([*faults, *self.faults], [])
                    self.faults.clear()

    def looked_at(self, page: Page, *, is_first: bool) -> list[str]:
        """Return the faults of the page that is open; what does not differ by role is looked at once."""
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
        found = [f"light: {fault}" for fault in checks.accessibility(page)]
        if not is_first:
            return found
        found += [*checks.overlaps(page), *checks.keyboard(page)]
        page.emulate_media(color_scheme="dark")
        found += [f"dark: {fault}" for fault in checks.accessibility(page)]
        for pixels in (390, 320):
            found += checks.width(page, pixels)
        return [*found, *checks.touch(page), *checks.right_to_left(page)]


def pages(case: BrowserCase, key: str) -> Iterator[tuple[Route, str]]:
    """Yield the routes that answer somebody with a whole page."""
    cookies = {cookie["name"]: cookie["value"] for cookie in (case.site.cookies(key) if key else [])}
    with httpx2.Client(base_url=case.site.address, cookies=cookies, timeout=30) as client:
        for route in routes():
            address = route.address()
            with client.stream("GET", address) as answer:
                case.assertLess(answer.status_code, 500, address)
                case.assertFalse(answer.status_code == 404 and key == PEOPLE["admin"], f"{address} is nothing")
                is_html = answer.headers.get("content-type", "").startswith("text/html")
                is_page = answer.status_code == 200 and is_html and b"<html" in answer.read()[:2000]
            if is_page:
                yield route, address
