"""A report with a photo, over a network that breaks in the middle of it."""

import io
import os

from PIL import Image
from playwright.sync_api import FilePayload, expect

from e2e.browser.case import BrowserCase
from e2e.browser.relay import relayed
from e2e.server import eventually

TITLE = "Conveyor stands still, smells burnt"
SIDE = 700  # noise does not compress: some 1.4 MB
CUT_AFTER = 300_000


def photo() -> FilePayload:
    """Return a picture of noise."""
    picture = Image.frombytes("RGB", (SIDE, SIDE), os.urandom(SIDE * SIDE * 3))
    data = io.BytesIO()
    picture.save(data, "PNG")
    return {"name": "conveyor.png", "mimeType": "image/png", "buffer": data.getvalue()}


class ReportTests(BrowserCase):
    def test_it_arrives_once_with_its_photo_though_the_network_breaks(self) -> None:
        from incidents.models import Incident

        self.excused = ("net::ERR", "Failed to load resource", "Failed to fetch")
        with relayed(self.site.address) as (relay, address):
            page = self.at("hana", phone=True, base_url=address, service_workers="block")
            page.goto("/report/")
            page.get_by_label("Title").or_(page.locator("[name=title]")).first.fill(TITLE)
            page.locator("[name=description]").fill("It stopped at half past six.")
            page.locator("[data-files]").last.set_input_files([photo()])
            expect(page.locator("#files li")).to_have_count(1)

            relay.cut_after = CUT_AFTER
            page.locator("#report-send").click()
            eventually(lambda: relay.cuts, "the line to be cut")
            self.assertFalse(Incident.objects.filter(title=TITLE).exists())
            relay.cut_after = None
            page.goto("/report/")

            eventually(lambda: Incident.objects.filter(title=TITLE).exists(), "the report", seconds=60)
            page.wait_for_timeout(3000)

        [incident] = Incident.objects.filter(title=TITLE)
        self.assertEqual([file.name for file in incident.attachments.all()], ["conveyor.png"])

    def test_it_keeps_a_draft_with_its_photo_over_a_reload(self) -> None:
        page = self.at("ivan", service_workers="block")
        page.goto("/report/")
        page.locator("[name=title]").fill("Half a report")
        page.locator("[data-files]").last.set_input_files([photo()])
        expect(page.locator("#files li")).to_have_count(1)
        page.wait_for_timeout(1000)

        page.reload()

        expect(page.locator("[name=title]")).to_have_value("Half a report")
        expect(page.locator("#files li")).to_have_count(1)

    def test_it_is_sent_without_scripts(self) -> None:
        from incidents.models import Incident

        page = self.at("hana", java_script_enabled=False)
        page.goto("/report/")
        page.locator("[name=title]").fill("Reported without scripts")
        page.locator("[data-files]").last.set_input_files([photo()])

        page.locator("#report-send").click()

        expect(page.get_by_role("heading", level=1)).to_contain_text("Reported as")
        self.assertEqual(Incident.objects.get(title="Reported without scripts").attachments.count(), 1)

    def test_it_takes_what_history_suggests_by_a_click(self) -> None:
        from assistant.tests.factories import make_history, train
        from core.severity import Severity
        from incidents.models import Category
        from responders.models import Team
        from users.models import User

        teams, categories = Team.objects.order_by("pk")[:2], Category.objects.order_by("pk")[:2]
        titles, severities = ("Zeppelin hangar door stuck", "Gramophone needle worn"), (Severity.HIGH, Severity.LOW)
        make_history(list(zip(titles, teams, categories, severities, strict=True)), admin=User.objects.admins()[0])
        train()
        asked: list[str] = []
        page = self.at("hana", service_workers="block")
        page.on("request", lambda request: asked.append(request.url) if "/report/similar/" in request.url else None)
        page.goto("/report/")

        page.locator("[name=title]").fill("The zeppelin hangar door is stuck")
        page.locator("[data-suggest=category]").click()

        expect(page.locator("[name=category]")).to_have_value(categories[0].slug)
        expect(page.locator("[data-suggest=category]")).to_have_count(0)
        page.locator("[name=description]").fill("Stuck " * 2_000)
        with page.expect_request(lambda request: "location=Hangar" in request.url):
            page.locator("[name=location]").fill("Hangar 2")
            page.locator("[name=location]").blur()
        self.assertFalse(any("csrfmiddlewaretoken" in url or len(url) > 1_500 for url in asked))
