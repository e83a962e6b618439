"""A runbook, from its first version to a run that somebody else approved."""

import json
import re
from typing import Any

import httpx2
from playwright.sync_api import Page, expect

from e2e.browser import checks
from e2e.browser.case import BrowserCase
from e2e.browser.site import person


class RemediationTests(BrowserCase):
    def incident(self, title: str) -> Any:
        from incidents import services
        from responders.models import Team

        team = Team.objects.get(name="Storefront")
        return services.open_incident(services.NewIncident(title=title, team=team), by=person("ada"))

    def write_runbook(self, name: str) -> None:
        """Write one in the editor, after a mistake that is told at its field."""
        page = self.at("ada")
        page.goto("/runbooks/")
        page.get_by_role("link", name="New runbook").click()
        page.get_by_label("Name").fill(name)
        address = f"{self.site.address}/livez"
        step = {"kind": "http", "targets": ["{node}"], "act": {"method": "GET", "url": address}}
        page.get_by_label("Steps").fill(json.dumps([step]))
        page.get_by_label("Cool-down").fill("0")
        self.excused = ("422",)
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#id_steps_errors")).to_contain_text("targets")
        parameter = {"name": "node", "kind": "choice", "choices": ["web-1", "web-2"], "label": "Node"}
        page.get_by_label("Parameters").fill(json.dumps([parameter]))
        step["verify"] = {"method": "GET", "url": address}
        page.get_by_label("Steps").fill(json.dumps([step]))
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()

    def propose(self, page: Page, incident: Any, name: str) -> None:
        page.goto(f"/incidents/{incident.reference}/")
        page.get_by_role("link", name="Propose a run").click()
        page.get_by_role("link", name=name).click()
        page.get_by_label("Node").select_option("web-2")
        page.get_by_role("button", name="See what it would do").click()
        expect(page.locator("main")).to_contain_text("web-2")
        page.get_by_role("button", name="Propose it").click()
        expect(page.locator(".run-state").first).to_have_text("Proposed")

    def test_it_is_proposed_approved_by_somebody_else_and_executed(self) -> None:
        name, incident = "Ask node again", self.incident("A node does not answer")
        self.write_runbook(name)
        daniel, chloe = self.at("daniel"), self.at("chloe", phone=True)
        chloe.goto(f"/incidents/{incident.reference}/")

        self.propose(daniel, incident, name)
        expect(daniel.get_by_role("link", name="Approve", exact=True)).to_have_count(0)

        approve = chloe.locator("[data-slot=runs]").get_by_role("link", name=f"Approve {name}")
        expect(approve).to_be_visible()  # it came by itself
        approve.click()
        expect(chloe.locator("main")).to_contain_text("web-2")
        chloe.get_by_role("button", name="Approve this run").click()
        expect(chloe.locator(".run-state").first).to_have_text("Approved")

        execute = daniel.get_by_role("link", name="Execute")
        expect(execute).to_be_visible()  # the page follows
        execute.click()
        daniel.get_by_role("button", name="Execute this run").click()
        expect(daniel.locator(".run-state").first).to_have_text("Verified")
        expect(daniel.locator(".run-phases")).to_contain_text("Verify: Done")
        daniel.goto(f"/incidents/{incident.reference}/")
        expect(daniel.locator(".timeline")).to_contain_text("Remediation verified")

    def test_an_agent_is_made_by_keyboard_and_asks_with_its_key(self) -> None:
        page = self.at("ada")
        page.goto("/agents/new/")
        page.get_by_label("Name").focus()
        page.keyboard.type("db-1")
        page.keyboard.press("Enter")
        key = page.locator("#key").inner_text()
        expect(page.locator("#heard")).to_contain_text("Waiting")
        expect(page.locator("#install")).not_to_contain_text(key)
        self.assertEqual([*checks.accessibility(page), *checks.width(page, 390)], [])  # it answers a form only
        asked = {"version": "1.0", "commands": ["about"]}
        headers = {"Authorization": f"Agent {key}"}

        answer = httpx2.post(f"{self.site.address}/api/v1/agents/poll/", json=asked, headers=headers)

        self.assertEqual(answer.status_code, 200)
        expect(page.locator("#heard")).to_contain_text("It asked with this key.")
        page.get_by_role("link", name="To the agent").click()
        expect(page.locator("main")).to_contain_text("Connected")
        expect(page.locator("main")).not_to_contain_text(key)

    def test_an_example_is_put_into_what_was_typed(self) -> None:
        page = self.at("ada", phone=True)
        page.goto("/runbooks/new/")
        page.get_by_label("Name").fill("Scale the shop")
        page.get_by_text("Kubernetes", exact=True).first.click()
        page.get_by_role("button", name="Put it into the form Kubernetes").click()
        expect(page.get_by_label("Steps")).to_be_in_viewport()
        expect(page.get_by_label("Steps")).to_have_value(re.compile('"operation": "restart"'))
        expect(page.get_by_label("Parameters")).to_have_value(re.compile('"name": "unit"'))
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Scale the shop")).to_be_visible()

    def test_it_is_stopped_and_released(self) -> None:
        daniel, ada = self.at("daniel"), self.at("ada")
        daniel.goto("/runs/")
        daniel.get_by_role("link", name="Stop everything").click()
        daniel.get_by_label("Why").fill("Storm")
        daniel.get_by_role("button", name="Stop all remediation").click()
        expect(daniel.locator(".banner-danger")).to_contain_text("Storm")
        expect(daniel.get_by_role("button", name="Release the stop")).to_have_count(0)

        ada.goto("/runbooks/")
        ada.get_by_role("link", name="Release it").click()
        ada.get_by_role("button", name="Release the stop").click()

        expect(ada.locator(".banner-danger")).to_have_count(0)
