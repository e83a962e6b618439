"""What is suggested about an incident: the change that caused it first, judged and acted on by a click."""

import datetime as dt
from typing import Any

from playwright.sync_api import Page, expect

from e2e.browser.case import BrowserCase
from e2e.browser.site import person


class SuggestionTests(BrowserCase):
    def incident(self) -> Any:
        """Return an incident of a service that was deployed to shortly before, and that another report repeats."""
        from alerts.models import ChangeEvent
        from incidents import services
        from incidents.services import NewIncident
        from responders.models import Service

        service = Service.objects.get(slug="checkout")
        words = "Vouchers are refused at the till"
        services.open_incident(NewIncident(title=words, services=[service], finds_team=False), by=person("hana"))
        new = NewIncident(title=f"{words} since noon", services=[service], finds_team=False)
        found = services.open_incident(new, by=person("ada"))
        at = found.occurred_at - dt.timedelta(minutes=4)
        ChangeEvent.objects.create(summary="Deploy vouchers 7", service=service, occurred_at=at, received_at=at)
        return found

    def card(self, page: Page) -> Any:
        return page.locator(".suggestions")

    def test_it_names_a_cause_and_a_duplicate_and_keeps_what_is_thought_of_them(self) -> None:
        incident, page = self.incident(), self.at("ada")
        page.goto(f"/incidents/{incident.reference}/")
        self.card(page).scroll_into_view_if_needed()
        expect(self.card(page).locator("ol li").first).to_contain_text("Deploy vouchers 7")

        self.card(page).get_by_role("button", name="Useful", exact=True).first.click()
        expect(self.card(page).locator('[aria-pressed="true"]')).to_have_count(1)

        self.card(page).get_by_text("Summary for a hand-over").click()
        expect(self.card(page)).to_contain_text("Severity")
        self.card(page).get_by_role("link", name="Link as duplicate").first.click()
        page.locator("#act").get_by_role("button", name="Link", exact=True).click()
        expect(page.locator(".incident-line .status-resolved")).to_be_visible()

    def test_it_works_without_scripts(self) -> None:
        incident, page = self.incident(), self.at("ada", java_script_enabled=False)
        page.goto(f"/incidents/{incident.reference}/")
        page.get_by_role("link", name="Suggestions", exact=True).last.click()
        expect(self.card(page).locator("ol li").first).to_contain_text("Deploy vouchers 7")

        self.card(page).get_by_role("button", name="Not useful").first.click()

        expect(self.card(page).locator('[value="no"][aria-pressed="true"]')).to_have_count(1)
