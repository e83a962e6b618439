"""What the public is told, from both sides: the pages of those who publish, and the status page."""

import datetime as dt
import email
import email.policy
import re
import time
from email.message import EmailMessage
from typing import Any

import httpx2
from playwright.sync_api import Page, expect

from e2e.browser.case import BrowserCase
from e2e.browser.site import person
from e2e.mailbox import text_of
from e2e.server import eventually

VISIBLE_SECONDS = 2.0
SECRET = "Vendor contract 4711 has lapsed"  # a description that must stay inside
LINK = re.compile(r"https?://\S+/status/confirm/[^\s\"'<>]+/")
SEPARATOR = re.compile(r"^-{79}$", re.MULTILINE)  # of Django's console backend


class StatusPageTests(BrowserCase):
    def setUp(self) -> None:
        super().setUp()
        from status_page.models import Component
        from status_page.services.components import add_component
        from status_page.services.page import edit_page

        edit_page(by=person("ada"), changes={"languages": ["en", "de"], "takes_subscribers": True})
        address = f"{self.site.address}/status/de/"
        eventually(lambda: httpx2.get(address, timeout=10).status_code == 200, "the page in German", seconds=60)
        self.component = Component.objects.filter(name="Gift cards").first() or add_component(
            by=person("ada"), values={"name": "Gift cards", "translations": {"de": {"name": "Gutscheine"}}}
        )

    def public(self, path: str = "en/") -> str:
        """Return a page as a stranger gets it."""
        answer = httpx2.get(f"{self.site.address}/status/{path}", timeout=10)
        self.assertEqual(answer.status_code, 200, path)
        return answer.text

    def seen_soon(self, text: str, path: str = "en/") -> None:
        """Wait until the public page says it, which takes two seconds at most."""
        begun = time.monotonic()
        eventually(lambda: text in self.public(path), f"{text!r} on the status page", seconds=20)
        self.assertLessEqual(time.monotonic() - begun, VISIBLE_SECONDS)

    def opened(self, title: str) -> Any:
        from incidents.services import NewIncident, open_incident

        return open_incident(NewIncident(title=title, description=SECRET, finds_team=False), by=person("hana"))

    def fill(self, page: Page, **texts: str) -> None:
        for name, text in texts.items():
            page.locator(f"[name='{name}']").fill(text)

    def test_it_is_published_corrected_and_resolved_in_two_languages(self) -> None:
        incident, page = self.opened("Gift cards are refused"), self.at("ada")
        page.goto(f"/incidents/{incident.reference}/")
        page.get_by_role("link", name="Publish…").click()
        expect(page.locator("[name=title]")).to_have_value("Gift cards are refused")
        self.assertNotIn(SECRET, page.content())
        self.fill(page, title="Gift cards fail", message="They are refused.", title_de="Gutscheine gestört")
        page.get_by_label("Gift cards", exact=True).check()
        page.get_by_role("button", name="Preview", exact=True).last.click()
        expect(page.locator("#preview")).to_contain_text("not translated")
        self.fill(page, message_de="Sie werden abgelehnt.")
        page.locator("form#announce").get_by_role("button", name="Publish", exact=True).click()
        expect(page.get_by_role("heading", name="Gift cards fail")).to_be_visible()
        self.seen_soon("They are refused.")
        self.seen_soon("Sie werden abgelehnt.", "de/")

        page.get_by_role("link", name="Correct").click()
        self.fill(page, message="Cards from before May are refused.", message_de="Ältere Karten werden abgelehnt.")
        page.get_by_role("button", name="Correct").click()
        self.seen_soon("Cards from before May are refused.")
        self.assertNotIn("They are refused.", self.public())

        page.goto(f"/incidents/{incident.reference}/")
        page.locator(".incident-actions").get_by_role("button", name="Resolve").click()
        card = page.locator(".public-card")
        expect(card).to_contain_text("the public still sees it open")
        card.get_by_role("link", name="Update the status page…").click()
        dialog = page.locator("#act")
        expect(dialog.locator("[name=state]")).to_have_value("resolved")
        dialog.locator("[name=message]").fill("All gift cards work again.")
        dialog.locator("[name=message_de]").fill("Alle Gutscheine gehen wieder.")
        dialog.get_by_role("button", name="Publish the update").click()
        expect(page.locator(".public-card")).to_contain_text("Resolved")
        expect(page.locator(".public-card")).not_to_contain_text("still sees it open")
        self.seen_soon("All gift cards work again.")
        self.assertNotIn(SECRET, self.public())

        page.get_by_role("link", name="What the public sees beside what we see").click()
        expect(page.locator(".compare-public")).to_have_count(2)
        expect(page.locator(".compare-internal").first).to_be_visible()

    def test_it_announces_moves_begins_and_completes_maintenance(self) -> None:
        page = self.at("ben", java_script_enabled=False)
        page.goto("/status-page/")
        page.get_by_role("link", name="Plan maintenance").click()
        begin = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
        self.fill(page, title="New card readers", message="Short breaks.", title_de="Neue Leser", message_de="Kurz.")
        for name, hours in (("starts_at", 0), ("ends_at", 2)):
            page.locator(f"[name={name}]").fill(f"{begin + dt.timedelta(hours=hours):%Y-%m-%dT%H:%M}")
        page.get_by_label("Gift cards", exact=True).check()
        page.get_by_role("button", name="Announce", exact=True).click()
        self.seen_soon("New card readers")

        page.get_by_role("link", name="Move to another time").click()
        page.locator("[name=ends_at]").fill(f"{begin + dt.timedelta(hours=4):%Y-%m-%dT%H:%M}")
        page.get_by_role("button", name="Move").click()
        self.seen_soon("Die Wartung wurde", "de/")
        for state, said in (("In progress", "We have begun."), ("Completed", "All done.")):
            page.get_by_role("link", name=f"{state}…").click()
            page.locator("[name=message]").fill(said)
            page.get_by_role("button", name="Publish the update").click()
            self.seen_soon(said)

    def test_it_is_subscribed_to_with_a_second_step(self) -> None:
        from status_page.models import Subscriber
        from status_page.services.publishing import add_update, publish

        address = f"stranger{time.time_ns()}@example.org"
        page = self.at(java_script_enabled=False)
        page.goto("/status/en/subscribe.html")
        page.locator("[name=email]").fill(address)
        page.get_by_label("Gift cards").check()
        page.get_by_role("button", name="Subscribe").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("mailbox")
        link = LINK.search(text_of(self.mail_to(address)))
        assert link, text_of(self.mail_to(address))
        self.assertEqual(Subscriber.objects.get(email=address).state, "pending")
        page.goto(link[0])
        self.assertEqual(Subscriber.objects.get(email=address).state, "pending")
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Confirmed")

        made = publish(
            by=person("ada"), title="Cards", message="They fail.", impact="degraded", components=[self.component]
        )
        self.mail_to(address, "They fail.")
        add_update(made, by=person("ada"), message="They work again.", state="resolved")
        self.mail_to(address, "They work again.")

    def mail_to(self, address: str, text: str = "") -> EmailMessage:
        """Return the last mail to an address; the server prints them."""

        def found() -> EmailMessage | None:
            parts = SEPARATOR.split(self.site.log.read_text(errors="replace"))
            mails = (email.message_from_string(part.lstrip(), policy=email.policy.default) for part in parts)
            own = [mail for mail in mails if isinstance(mail, EmailMessage) and address in str(mail["To"])]
            return next((mail for mail in reversed(own) if text in text_of(mail)), None)

        return eventually(found, f"a mail to {address} with {text!r}", seconds=60)

    def test_it_speaks_another_language(self) -> None:
        page = self.at(java_script_enabled=False)
        page.goto("/status/en/")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.get_by_role("link", name="Deutsch").first.click()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.locator("body")).to_contain_text("Gutscheine")

    def test_it_is_arranged_by_administrators(self) -> None:
        from status_page.models import Component

        page, name = self.at("ada"), f"Vouchers {time.time_ns()}"
        page.goto("/status-page/components/new/")
        self.fill(page, name=name, name_de="Bons", new_group="Counter")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("link", name=name)).to_be_visible()
        self.seen_soon(name)
        page.goto("/status-page/settings/")
        page.locator("[name=about]").fill("We tell you what works.")
        page.locator("form", has=page.locator("[name=about]")).get_by_role("button", name="Save").click()
        self.seen_soon("We tell you what works.")
        self.assertTrue(Component.objects.filter(name=name, group__name="Counter").exists())
