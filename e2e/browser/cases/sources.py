"""A source, from nothing to its first alert."""

import re
import shlex
import subprocess

from playwright.sync_api import expect

from e2e.browser.case import BrowserCase


class SourceTests(BrowserCase):
    def test_it_is_set_up_and_its_first_alert_seen(self) -> None:
        page, beside = self.at("ada"), self.at("ada")
        page.goto("/sources/new/")
        page.locator("main a[href*='generic']").first.click()
        page.locator("[name=name]").fill("Cold store")
        page.locator("main form").get_by_role("button").first.click()
        expect(page.locator("#key")).not_to_be_empty()
        key = page.locator("#key").inner_text().strip()
        trial = page.locator("#trial").inner_text()
        expect(page.locator("#arrived")).to_contain_text("Waiting for the first event")
        self.assertIn(self.site.address, trial)
        self.assertIn(key, trial)
        beside.goto("/alerts/")

        done = subprocess.run(shlex.split(re.sub(r"\\\n\s*", " ", trial)), capture_output=True, text=True, timeout=30)

        self.assertEqual(done.returncode, 0, done.stderr)
        expect(page.locator("#arrived")).to_contain_text("It arrived and was understood", timeout=60_000)
        beside.reload()
        expect(beside.locator("main")).to_contain_text("Cold store", timeout=20_000)
