"""The manifest by which Slack makes the app."""

import json
import re
from pathlib import Path

from django.test import SimpleTestCase
from django.urls import reverse

FOLDER = Path(__file__).resolve().parent.parent


class ManifestTests(SimpleTestCase):
    def setUp(self) -> None:
        self.manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))

    def test_it_leads_slack_to_our_addresses(self) -> None:
        (command,) = self.manifest["features"]["slash_commands"]
        interactivity = self.manifest["settings"]["interactivity"]

        self.assertTrue(command["url"].endswith(reverse("slack-commands")))
        self.assertTrue(interactivity["request_url"].endswith(reverse("slack-interactions")))
        self.assertEqual((command["command"], interactivity["is_enabled"]), ("/incident", True))

    def test_it_keeps_within_slacks_limits(self) -> None:
        information, features = self.manifest["display_information"], self.manifest["features"]

        self.assertLessEqual(len(information["name"]), 35)
        self.assertLessEqual(len(information["description"]), 140)
        self.assertLessEqual(len(features["slash_commands"][0]["description"]), 2000)
        self.assertRegex(features["bot_user"]["display_name"], r"^[a-z0-9._-]{1,80}$")

    def test_it_asks_for_what_sending_needs_and_no_more(self) -> None:
        scopes = self.manifest["oauth_config"]["scopes"]

        self.assertEqual(scopes, {"bot": ["chat:write", "chat:write.public", "commands", "im:write"]})
        self.assertTrue(self.manifest["features"]["app_home"]["messages_tab_enabled"])

    def test_it_is_the_one_in_the_guide(self) -> None:
        guide = (FOLDER / "guide.md").read_text(encoding="utf-8")

        (shown,) = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
        self.assertEqual(json.loads(shown), self.manifest)
