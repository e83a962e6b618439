"""What every test in the browser shares: people at the pages, and faults that none may have."""

import os
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from e2e.browser.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PICTURES = Path(os.environ.get("BROWSER_PICTURES", ".venv/browser"))
PATIENCE_MS = 15_000
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
REPORT_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) =>
  window.__violation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))
"""


class BrowserCase(unittest.TestCase):
    """A test whose pages break no policy, throw nothing and open no dialog of the browser."""

    site: ClassVar[Site]
    browser: ClassVar["Browser"]

    def setUp(self) -> None:
        self.faults: list[str] = []
        self.excused: tuple[str, ...] = ()  # parts of console messages that the test provokes
        self.contexts: list[BrowserContext] = []

    def tearDown(self) -> None:
        if self._has_failed():
            self._picture()
        for context in self.contexts:
            context.close()
        left = [fault for fault in self.faults if not any(part in fault for part in self.excused)]
        self.assertEqual(left, [], "faults that the browser reported")

    def at(self, key: str = "", *, phone: bool = False, dark: bool = False, **options: Any) -> "Page":
        """Return a new page of somebody (of nobody, without a name) in a browser of their own."""
        return self.tab(self.context(key, phone=phone, dark=dark, **options))

    def context(self, key: str = "", *, phone: bool = False, dark: bool = False, **options: Any) -> "BrowserContext":
        """Return a browser of somebody, whose tabs share what browsers share."""
        device = {"viewport": PHONE, "has_touch": True, "is_mobile": True} if phone else {"viewport": DESKTOP}
        context = self.browser.new_context(
            **{
                **device,
                "base_url": self.site.address,
                "color_scheme": "dark" if dark else "light",
                "reduced_motion": "reduce",
                "locale": "en-GB",
                "timezone_id": "Europe/Berlin",
                **options,
            },
        )
        context.set_default_timeout(PATIENCE_MS)
        context.expose_binding("__violation", lambda source, text: self.faults.append(f"CSP: {text}"))
        context.add_init_script(REPORT_VIOLATIONS)
        if key:
            address = str(options.get("base_url", self.site.address))
            context.add_cookies([{**cookie, "url": address} for cookie in self.site.cookies(key)])
        self.contexts.append(context)
        return context

    def tab(self, context: "BrowserContext") -> "Page":
        """Return a new tab whose faults are counted."""
        page = context.new_page()
        page.on("console", lambda message: self._heard(message.type, message.text, page.url))
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("dialog", lambda dialog: (self.faults.append(f"{page.url}: dialog {dialog.message}"), dialog.dismiss()))
        return page

    def _heard(self, kind: str, text: str, url: str) -> None:
        if kind == "error" or "Content Security Policy" in text:
            self.faults.append(f"{url}: {text}")

    def _has_failed(self) -> bool:
        result = self._outcome.result  # type: ignore[attr-defined]
        return any(test is self for test, _trace in [*result.failures, *result.errors])

    def _picture(self) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        tabs = [page for context in self.contexts for page in context.pages]
        for number, page in enumerate(tabs[:3], 1):
            page.screenshot(path=PICTURES / f"{self._testMethodName}-{number}.png")
