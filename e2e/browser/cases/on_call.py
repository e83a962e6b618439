"""A rota: changed by an administrator, overridden and swapped by those who are on it."""

from typing import Any

from playwright.sync_api import expect

from e2e.browser.case import BrowserCase
from e2e.browser.site import person


def _schedule(name: str) -> Any:
    from responders.models import Schedule

    return Schedule.objects.get(name=name)


class RotaTests(BrowserCase):
    def test_it_edits_a_rota_with_a_preview(self) -> None:
        schedule, page = _schedule("Storefront"), self.at("ada")
        page.goto(f"/on-call/{schedule.pk}/layers/")

        page.get_by_label("Change every").fill("2")
        page.get_by_label("Change every").press("Tab")
        expect(page.locator("#preview")).to_contain_text("Whose shifts move")
        page.get_by_role("button", name="Move turn 2 up").click()
        expect(page.locator(".turn .who").first).to_contain_text("Chlo")
        versions = schedule.versions.count()
        page.get_by_role("button", name="Save the layers").click()

        expect(page.locator("main")).to_contain_text("The layers are saved")
        self.assertEqual(schedule.versions.count(), versions + 1)

    def test_it_drags_turns(self) -> None:
        schedule, page = _schedule("Platform"), self.at("ada")
        page.goto(f"/on-call/{schedule.pk}/layers/")
        turns = page.locator(".layer").first.locator(".turn")
        before = turns.first.inner_text()

        turns.first.drag_to(turns.nth(1))

        self.assertNotEqual(turns.first.inner_text(), before)
        expect(page.locator("#preview")).to_contain_text("Whose shifts move")

    def test_it_overrides_by_a_click(self) -> None:
        schedule, page = _schedule("Platform"), self.at("ben")
        page.goto(f"/on-call/{schedule.pk}/")
        count = schedule.overrides.count()

        page.locator("svg a.rota-bar").last.click()
        dialog = page.locator("#page-dialog")
        expect(dialog.get_by_role("heading")).to_contain_text("Override of Platform")
        dialog.locator("input[name=add]").first.check()
        dialog.get_by_role("button", name="Put it in force").click()

        expect(page.locator("main")).to_contain_text("The override is in force")
        self.assertEqual(schedule.overrides.count(), count + 1)

    def test_it_swaps_a_shift_on_phones(self) -> None:
        schedule = _schedule("Platform")
        ben, chloe = self.at("ben", phone=True), self.at("chloe", phone=True)
        ben.goto("/on-call/")
        ben.get_by_role("link", name="Ask for cover").last.click()
        ben.locator("#page-dialog").get_by_role("button", name="Ask the team").click()
        expect(ben.locator("main")).to_contain_text("nobody took it yet")
        asked = schedule.swaps.filter(requester=person("ben")).latest("pk")

        chloe.goto("/on-call/swaps/")
        chloe.get_by_role("button", name="Take it").first.click()
        expect(chloe.locator("main")).to_contain_text("would take it")
        ben.goto("/on-call/swaps/")
        ben.get_by_role("button", name="Approve").first.click()
        expect(ben.locator("main")).to_contain_text("taken by")

        asked.refresh_from_db()
        self.assertEqual((asked.state, asked.taker), ("approved", person("chloe")))

    def test_it_needs_no_scripts(self) -> None:
        schedule, page = _schedule("Platform"), self.at("ada", java_script_enabled=False)
        page.goto(f"/on-call/{schedule.pk}/override/")

        page.locator("input[name=add]").first.check()
        page.get_by_role("button", name="Put it in force").click()

        expect(page.locator("main")).to_contain_text("The override is in force")
