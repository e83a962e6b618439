"""A review, from the resolved incident to the document, and what is to be done afterwards."""

import datetime as dt
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from e2e.browser.case import BrowserCase
from e2e.browser.site import person


class ReviewTests(BrowserCase):
    def incident(self, title: str) -> Any:
        """Return an incident of nobody's team that Ben follows, with what he found."""
        from incidents import services

        found = services.open_incident(services.NewIncident(title=title, finds_team=False), by=person("ada"))
        services.subscribe(found, person("ben"), by=person("ben"))
        services.comment(found, "The **pump** stood still.", by=person("ben"), visibility="internal")
        return found

    def review(self, title: str) -> Any:
        from reviews.services.drafting import start_review

        return start_review(self.incident(title), by=person("ada"))

    def save(self, page: Page, button: str = "Save") -> None:
        page.locator("main").get_by_role("button", name=button, exact=True).click()

    def test_it_goes_from_the_incident_to_its_review_and_what_follows(self) -> None:
        incident, page = self.incident("Water in the cellar"), self.at("ada")
        page.goto(f"/incidents/{incident.reference}/")
        page.locator(".incident-actions").get_by_role("button", name="Resolve").click()
        expect(page.locator(".incident-line .status-resolved")).to_be_visible()
        page.get_by_role("button", name="Start a review").click()
        expect(page.locator("#narrative")).to_contain_text("pump stood still")
        address = page.url

        self._take_a_moment(page)
        self._write(page)
        self._agree_on_something(page)
        self._complete(page, address)

        self._read(page)
        self._is_reminded()

    def _take_a_moment(self, page: Page) -> None:
        moments = page.locator(".moment").count()
        page.get_by_role("link", name="Add from the timeline").click()
        expect(page.get_by_text("in the review already").first).to_be_visible()
        page.locator("input[name=event]").first.check()
        self.save(page, "Add to the review")
        expect(page.locator(".moment")).to_have_count(moments + 1)

    def _write(self, page: Page) -> None:
        page.locator("#summary").get_by_role("link", name="Edit").click()
        page.get_by_label("What happened").fill("The cellar was *under water*.")
        self.save(page, "Preview")
        expect(page.locator("#preview em")).to_have_text("under water")
        self.save(page)
        expect(page.locator("#summary em")).to_have_text("under water")
        for text in ("The pump was old.", "Nobody heard the alarm."):
            page.get_by_role("link", name="Add a factor").click()
            page.get_by_label("What contributed").fill(text)
            self.save(page, "Add")
        page.get_by_role("button", name="Move factor 2 up").click()
        expect(page.locator(".factors > li").first).to_contain_text("Nobody heard")

    def _agree_on_something(self, page: Page) -> None:
        page.get_by_role("link", name="Add an action item").click()
        page.get_by_label("What is to be done").fill("Buy a second pump")
        self.save(page, "Add")
        expect(page.locator("#missing")).to_contain_text("has no due date")
        page.locator("#missing").get_by_role("link", name="has no owner").click()
        page.get_by_label("Owner").select_option(label=person("ben").name)
        page.get_by_label("Due on").fill(f"{timezone.localdate() + dt.timedelta(days=3)}")
        self.save(page)
        expect(page.locator("#missing")).to_have_count(0)

    def _complete(self, page: Page, address: str) -> None:
        page.get_by_role("button", name="Send to review").click()
        page.get_by_role("button", name="Complete").click()
        expect(page.locator(".review-head .chip")).to_contain_text("Completed")
        self.assertEqual(page.url, address)
        expect(page.get_by_role("link", name="Add a factor")).to_have_count(0)

    def _read(self, page: Page) -> None:
        with page.expect_download() as download:
            page.locator(".review-actions").get_by_role("link", name="PDF").click()
        pages = PdfReader(download.value.path()).pages
        text = " ".join("\n".join(one.extract_text() for one in pages).split())
        for part in ("under water", "Nobody heard the alarm.", "Buy a second pump", person("ben").name):
            self.assertIn(part, text)

    def _is_reminded(self) -> None:
        from reviews.services.reminding import remind

        ben = self.at("ben")
        remind(timezone.now() + dt.timedelta(days=5))

        ben.goto("/inbox/")
        expect(ben.locator("main")).to_contain_text("Buy a second pump")
        ben.goto("/reviews/action-items/")
        row = ben.locator("tr", has_text="Buy a second pump")
        row.get_by_role("combobox").select_option("done")
        row.get_by_role("button", name="Set").click()
        expect(ben.locator("main")).to_contain_text("Buy a second pump: Done.")

    def test_it_needs_no_scripts(self) -> None:
        review, page = self.review("Smoke on the stairs"), self.at("ada", phone=True, java_script_enabled=False)
        page.goto(f"/reviews/{review.pk}/")

        page.get_by_role("link", name="Add a moment").click()
        page.get_by_label("What happened").fill("Somebody smelled it.")
        self.save(page, "Add")

        expect(page.locator("#narrative")).to_contain_text("Somebody smelled it.")

    def test_it_tells_of_changes_made_meanwhile(self) -> None:
        review, page, other = self.review("A door that stays open"), self.at("ada"), self.at("ada")
        address = f"/reviews/{review.pk}/edit/impact/"
        for one in (page, other):
            one.goto(address)
        other.get_by_label("Impact").fill("Theirs")
        self.save(other)
        self.excused = ("422",)

        page.get_by_label("Impact").fill("Mine")
        self.save(page)

        expect(page.get_by_role("alert")).to_contain_text("Somebody changed this")
        expect(page.locator("pre")).to_have_text("Theirs")
        expect(page.get_by_label("Impact")).to_have_value("Mine")
        self.save(page)
        expect(page.locator("#impact")).to_contain_text("Mine")
