"""An incident from its first minute to its end: on a phone, by keyboard, with two people, without scripts."""

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from e2e.browser.case import BrowserCase
from e2e.browser.site import person

GIVE_PICTURE = """(kind) => new Promise((done) => {
  const canvas = document.createElement('canvas'), data = new DataTransfer();
  canvas.width = canvas.height = 20;
  canvas.toBlob((blob) => {
    data.items.add(new File([blob], kind + '.png', { type: 'image/png' }));
    const options = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
    document.body.dispatchEvent(kind === 'drop' ? new DragEvent(kind, options) : new ClipboardEvent(kind, options));
    done();
  });
})"""


class IncidentTests(BrowserCase):
    def opened(self, title: str = "Tills print nothing", **fields: Any) -> Any:
        """Return a new incident that Hana reported."""
        from incidents.services import NewIncident, open_incident, update

        incident = open_incident(NewIncident(title=title, finds_team=False), by=person("hana"))
        return update(incident, by=None, fields=fields) if fields else incident

    def status(self, incident: Any) -> str:
        incident.refresh_from_db()
        return str(incident.status)

    def visit(self, page: Page, incident: Any, query: str = "") -> None:
        page.goto(f"/incidents/{incident.reference}/{query}")

    def test_it_responds_from_page_to_close_on_a_phone(self) -> None:
        incident, page = self.opened(), self.at("ada", phone=True, dark=True)
        self.visit(page, incident)

        for button, status in (("Acknowledge", "acknowledged"), ("Start work", "in_progress"), ("Resolve", "resolved")):
            bar = page.locator(".incident-actions")
            box = bar.get_by_role("button", name=button).bounding_box()
            self.assertGreaterEqual(box["height"], 44)
            self.assertGreater(box["y"], 700)
            bar.get_by_role("button", name=button).click()
            expect(page.locator(f".incident-line .status-{status}")).to_be_visible()
            self.assertEqual(self.status(incident), status)
        page.locator(".incident-actions").get_by_role("button", name="Close").click()
        expect(page.locator(".incident-line .status-closed")).to_be_visible()

    def test_it_undoes_and_keeps_the_composer(self) -> None:
        incident, page = self.opened(), self.at("ada")
        self.visit(page, incident)
        page.get_by_label("Update", exact=True).fill("Half a sentence")

        page.get_by_role("button", name="Resolve").click()
        expect(page.locator(".incident-line .status-resolved")).to_be_visible()
        page.locator("#toasts").get_by_role("button", name="Undo").click()

        expect(page.locator(".incident-line .status-open")).to_be_visible()
        expect(page.get_by_label("Update", exact=True)).to_have_value("Half a sentence")
        expect(page.get_by_text("Undone by Ada Lindqvist.")).to_be_visible()

    def test_it_works_by_keyboard(self) -> None:
        incident, page = self.opened(), self.at("ada")
        self.visit(page, incident)
        for key, status in (("a", "acknowledged"), ("s", "in_progress")):
            page.keyboard.press(key)
            expect(page.locator(f".incident-line .status-{status}")).to_be_visible()
        page.keyboard.press("A")
        expect(page.locator(".incident-owner").first).to_contain_text("Ada")
        page.keyboard.press("h")
        page.locator("#act textarea").fill("Waiting for parts.")
        page.locator("#act").get_by_role("button", name="Put on hold").press("Enter")
        expect(page.locator(".incident-line .status-on_hold")).to_be_visible()
        page.keyboard.press("c")
        page.keyboard.type("From the *keyboard*")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#timeline em", has_text="keyboard")).to_be_visible()
        page.keyboard.press("Escape")
        self.assertEqual(self.status(incident), "on_hold")

    def test_it_tells_internal_from_public(self) -> None:
        incident, page = self.opened(), self.at("ada")
        self.visit(page, incident)
        page.get_by_label("Internal").check()
        page.get_by_label("Update", exact=True).fill("Between us")
        page.get_by_role("button", name="Add internal note").click()
        expect(page.locator("#timeline .entry-comment.entry-internal")).to_contain_text("Between us")

        reporter = self.at("hana", phone=True)
        self.visit(reporter, incident)

        expect(reporter.get_by_text("Between us")).to_have_count(0)
        expect(reporter.get_by_label("Internal")).to_have_count(0)
        reporter.get_by_label("Update", exact=True).fill("Any news?")
        reporter.get_by_role("button", name="Add update").click()
        expect(reporter.locator("#timeline")).to_contain_text("Any news?")

    def test_it_keeps_the_text_through_reloads_and_dead_zones(self) -> None:
        incident, context = self.opened(), self.context("ada", phone=True)
        page = self.tab(context)
        self.excused = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
        self.visit(page, incident)
        page.get_by_label("Update", exact=True).fill("Written in a lift")
        context.set_offline(True)
        page.get_by_role("button", name="Add public update").click()
        expect(page.get_by_text("Your text is kept on this device.")).to_be_visible()
        context.set_offline(False)

        page.reload()
        expect(page.get_by_label("Update", exact=True)).to_have_value("Written in a lift")
        page.get_by_role("button", name="Add public update").click()
        expect(page.locator("#timeline")).to_contain_text("Written in a lift")
        page.reload()

        expect(page.get_by_label("Update", exact=True)).to_have_value("")
        self.assertEqual(incident.events.filter(body="Written in a lift").count(), 1)

    def test_it_keeps_the_text_when_the_session_ends(self) -> None:
        incident, context = self.opened(), self.context("ada")
        page = self.tab(context)
        self.excused = ("401",)
        self.visit(page, incident)
        page.get_by_label("Update", exact=True).fill("Still mine")
        context.clear_cookies(name="sessionid")
        page.get_by_role("button", name="Add public update").click()

        expect(page.get_by_text("You are signed out.")).to_be_visible()
        expect(page.get_by_label("Update", exact=True)).to_have_value("Still mine")

    def test_it_tells_a_conflict_and_keeps_the_note(self) -> None:
        from incidents.services import transition

        incident, page = self.opened(), self.at("ada")
        self.excused = ("409",)
        self.visit(page, incident)
        page.get_by_label("Update", exact=True).fill("Disk replaced")
        page.locator("select[name=then]").select_option("resolve")
        transition(incident, "acknowledged", by=person("ben"))
        page.get_by_role("button", name="Add public update").click()

        dialog = page.locator("#act")
        expect(dialog).to_contain_text("Ben Okafor acknowledged this")
        expect(dialog.locator("textarea")).to_have_value("Disk replaced")
        dialog.get_by_role("button", name="Do it anyway").click()
        expect(page.locator(".incident-line .status-resolved")).to_be_visible()
        expect(page.get_by_label("Update", exact=True)).to_have_value("")

    def test_it_shows_others_changes_without_touching_what_is_in_use(self) -> None:
        from incidents.services import comment, transition

        incident, page = self.opened(), self.at("ada")
        for number in range(40):
            comment(incident, f"Line {number}", by=person("ben"))
        self.visit(page, incident)
        page.get_by_label("Update", exact=True).fill("Half a sentence")
        page.locator(".incident-actions summary").click()
        event = {"incident": incident.pk, "reference": incident.reference}
        transition(incident, "acknowledged", by=person("ben"))
        self.live(page, event)

        expect(page.locator("#timeline .entry").first).to_contain_text("Acknowledged")
        expect(page.locator(".incident-actions .menu-items")).to_be_visible()
        page.keyboard.press("Escape")
        page.locator("#timeline-title").click()
        expect(page.locator(".incident-line .status-acknowledged")).to_be_visible()
        expect(page.get_by_label("Update", exact=True)).to_have_value("Half a sentence")
        page.locator("#timeline .entry").last.scroll_into_view_if_needed()
        before = page.evaluate("scrollY")
        comment(incident, "News from Ben", by=person("ben"))
        self.live(page, event)

        expect(page.locator("[data-new-entries]")).to_have_text("1 new entry")
        self.assertEqual(page.evaluate("scrollY"), before)
        page.locator("[data-new-entries]").click()
        expect(page.locator("#timeline .entry").first).to_contain_text("News from Ben")

    def test_it_follows_the_stream(self) -> None:
        from incidents.services import comment, transition

        incident, page = self.opened(), self.at("ada")
        self.visit(page, incident)
        expect(page.locator("[data-live-state=connected]").first).to_be_attached(timeout=15_000)
        transition(incident, "acknowledged", by=person("ben"))
        comment(incident, "News from Ben", by=person("ben"))

        expect(page.locator(".incident-line .status-acknowledged")).to_be_visible(timeout=15_000)
        expect(page.locator("#timeline .entry").first).to_contain_text("News from Ben", timeout=15_000)
        expect(page.locator("#timeline .entry", has_text="News from Ben")).to_have_count(1)

    def live(self, page: Page, event: dict[str, Any]) -> None:
        page.evaluate("(detail) => document.dispatchEvent(new CustomEvent('live:event', { detail }))", event)

    def test_it_takes_pictures_by_button_drop_and_paste(self) -> None:
        from incidents.tests.files import picture

        incident, page = self.opened(), self.at("hana")
        self.excused = ("415",)
        self.visit(page, incident)
        with tempfile.TemporaryDirectory() as folder:
            photo, program = Path(folder) / "photo.jpg", Path(folder) / "setup.exe"
            photo.write_bytes(picture())
            program.write_bytes(b"MZ\x90\x00" * 99)
            page.locator("#upload-files").set_input_files([photo, program])
            expect(page.locator(".picture img")).to_have_count(1)
            expect(page.locator("[data-uploads]")).to_contain_text("setup.exe was not uploaded:")
        for number, kind in enumerate(("drop", "paste"), start=2):
            page.evaluate(GIVE_PICTURE, kind)
            expect(page.locator(".picture img")).to_have_count(number)

        page.locator("a[data-lightbox]").first.click()
        expect(page.locator("#lightbox img")).to_be_visible()
        self.assertEqual(page.locator("#lightbox img").get_attribute("alt"), "photo.jpg")
        page.keyboard.press("ArrowRight")
        self.assertNotEqual(page.locator("#lightbox img").get_attribute("alt"), "photo.jpg")
        page.keyboard.press("Escape")
        expect(page.locator("#lightbox")).to_be_hidden()

    def test_it_changes_assigns_and_links_in_dialogs(self) -> None:
        incident, other, page = self.opened(), self.opened("Till 4"), self.at("ada")
        self.visit(page, incident)
        self.choose(page, "Change severity or priority…")
        page.locator("#act").get_by_label("Critical").check()
        page.locator("#act").get_by_role("button", name="Save").click()
        expect(page.locator(".incident-line .severity-critical")).to_be_visible()
        self.choose(page, "Assign or hand over…")
        page.locator("#act").get_by_label("Assignee").select_option(label="Ben Okafor")
        page.locator("#act").get_by_role("button", name="Save").click()
        expect(page.locator(".incident-line")).to_contain_text("Ben Okafor")
        self.choose(page, "Link, or mark as a duplicate…")
        page.locator("#act").get_by_label("Incident", exact=False).first.fill("INC-999999")
        self.excused = ("400",)
        page.locator("#act").get_by_role("button", name="Link").click()
        expect(page.locator("#act .error")).to_contain_text("does not exist")
        page.locator("#act input[name=target]").fill(other.reference)
        page.locator("#act").get_by_role("button", name="Link").click()
        expect(page.locator("[data-slot=side]")).to_contain_text("Till 4")

    def choose(self, page: Page, action: str) -> None:
        page.locator(".incident-actions summary").click()
        page.get_by_role("link", name=action).click()

    def test_it_steps_through_the_list_and_through_time(self) -> None:
        from incidents.services import update

        first, second = self.opened("Neighbours one"), self.opened("Neighbours two")
        page = self.at("ada")
        self.visit(page, second, "?list=q%3Dneighbours%26ordering%3D-created_at")
        page.keyboard.press("]")
        expect(page.locator("h1")).to_have_text("Neighbours one")
        page.wait_for_load_state()
        page.keyboard.press("[")
        expect(page.locator("h1")).to_have_text("Neighbours two")
        update(first, by=person("ada"), fields={"title": "Renamed"})
        self.visit(page, first)
        page.locator(".incident-actions summary").click()
        page.get_by_role("link", name="How it stood earlier").click()
        expect(page.locator("h1")).to_have_text("Neighbours one")
        page.wait_for_load_state()
        page.keyboard.press("]")
        expect(page.locator("h1")).to_have_text("Renamed")
        page.wait_for_load_state()
        page.locator("[data-slider] input").press("ArrowLeft")
        expect(page.locator("h1")).to_have_text("Neighbours one")

    def test_it_works_without_scripts(self) -> None:
        incident, page = self.opened(), self.at("ada", java_script_enabled=False)
        self.visit(page, incident)
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.locator(".incident-line .status-acknowledged")).to_be_visible()
        page.get_by_label("Internal").check()
        page.get_by_label("Update", exact=True).fill("Without scripts")
        page.locator("select[name=then]").select_option("start")
        page.get_by_role("button", name="Add internal note").click()
        expect(page.locator("#timeline .entry-internal").first).to_contain_text("Without scripts")
        page.locator(".incident-actions").get_by_role("link", name="Put on hold").click()
        page.locator("textarea").fill("Waiting.")
        page.get_by_role("button", name="Put on hold").click()
        expect(page.locator(".incident-line .status-on_hold")).to_be_visible()
        page.locator(".incident-actions").get_by_role("button", name="Resolve").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".incident-line .status-on_hold")).to_be_visible()
        page.get_by_role("link", name="Suggestions", exact=True).click()
        expect(page.locator("h1")).to_be_visible()
