"""Gates on every kind of public page, as strangers get them: in both themes, on phones, without a script."""

import datetime as dt
from pathlib import Path
from typing import Any

import httpx2
import orjson
from playwright.sync_api import Page, expect

from e2e.browser import checks
from e2e.browser.case import DESKTOP, BrowserCase
from e2e.browser.site import person
from e2e.server import eventually


class PublicPageTests(BrowserCase):
    def setUp(self) -> None:
        super().setUp()
        from django.utils import timezone

        from status_page.models import Component
        from status_page.services import maintenance
        from status_page.services.page import edit_page
        from status_page.services.publishing import publish

        ada, now = person("ada"), timezone.now()
        edit_page(by=ada, changes={"languages": ["en", "de"], "takes_subscribers": True, "is_private": False})
        components = list(Component.objects.filter(is_active=True)[:2])
        self.announced = publish(
            by=ada,
            title="Payments by card are refused at most counters",
            message="We are **looking into it**.\n\n- Cash works\n- Vouchers work",
            impact="major_outage",
            components=components,
            translations={"de": {"title": "Kartenzahlungen werden abgelehnt", "message": "Wir gehen dem nach."}},
            tell=False,
        )
        hours = [now + dt.timedelta(hours=more) for more in (1, 2)]
        maintenance.plan(
            by=ada, title="New switches", message="Short breaks.", components=components, starts_at=hours[0],
            ends_at=hours[1], tell=False,
        )  # fmt: skip
        self.shows(self.announced.uid)

    def shows(self, text: str) -> None:
        """Wait until the first page says it."""
        address = f"{self.site.address}/status/en/"
        eventually(lambda: text in httpx2.get(address, timeout=10).text, f"{text!r} on the page", seconds=60)

    @property
    def root(self) -> Path:
        from django.conf import settings

        return Path(settings.STATUS_ROOT)

    def paths(self) -> list[str]:
        from status_page.links import confirm_token, manage_token
        from status_page.services.subscribing import Request, confirm, subscribe

        now = dt.datetime.now(dt.UTC)
        reader = subscribe(Request(f"stranger{now.timestamp()}@example.org"), now=now)
        token, managing = confirm_token(reader.pk, now), manage_token(reader.pk)
        confirm(token, now=now)
        month = f"{self.announced.starts_at:%Y-%m}"
        files = ["", "subscribe.html", "history/", f"history/{month}.html", f"incidents/{self.announced.uid}.html"]
        links = [f"confirm/{token}/", f"manage/{managing}/", f"unsubscribe/{managing}/", "confirm/forged/"]
        return [*(f"{language}/{name}" for language in ("en", "de") for name in files), *links, "de/nothing.html"]

    def test_it_meets_the_gates_on_every_page(self) -> None:
        self.excused = ("404",)
        page = self.at()

        for path in self.paths():
            with self.subTest(path):
                page.goto(f"/status/{path}")
                self.assertEqual(self.looked_at(page), [])

    def test_it_meets_the_gates_with_the_banner(self) -> None:
        page = self.at()

        eventually(lambda: self.is_late(page), "the banner", seconds=60)

        self.assertEqual(self.looked_at(page), [])

    def is_late(self, page: Page) -> bool:
        """Have the files look old, and say whether the page tells so; the worker may write at any time."""
        manifest = self.root / "manifest.json"
        facts: dict[str, Any] = orjson.loads(manifest.read_bytes())
        facts["updated_at"] = "2026-01-01T00:00:00Z"
        (self.root / ".old").write_bytes(orjson.dumps(facts))
        (self.root / ".old").replace(manifest)
        page.goto("/status/en/")
        return page.locator(".stale").count() == 1

    def test_it_meets_the_gates_where_the_page_is_private(self) -> None:
        from status_page.services.page import edit_page, new_access_key

        self.excused = ("403",)
        ada, page = person("ada"), self.at()
        key = new_access_key(by=ada)
        edit_page(by=ada, changes={"is_private": True})
        self.addCleanup(lambda: edit_page(by=ada, changes={"is_private": False}))
        eventually(lambda: orjson.loads((self.root / "manifest.json").read_bytes())["is_private"], "a private page")

        page.goto("/status/en/")
        self.assertEqual(self.looked_at(page), [])
        page.goto(f"/status/en/?key={key}")

        expect(page.get_by_role("heading", level=1)).to_contain_text("outage")
        self.assertNotIn(key, page.url)

    def looked_at(self, page: Page) -> list[str]:
        """Return the faults of the page that is open."""
        found = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
            page.set_viewport_size(DESKTOP)
            found += [f"{scheme}: {fault}" for fault in checks.accessibility(page)]
        found += ["a script"] if page.evaluate("document.scripts.length") else []
        found += [*checks.overlaps(page), *checks.keyboard(page)]
        for pixels in (390, 320):
            found += checks.width(page, pixels)
        return [*found, *checks.touch(page), *checks.right_to_left(page)]
