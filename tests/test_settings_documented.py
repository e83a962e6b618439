"""Every setting is in `.env.template` and in the table of docs/operations.md, with its true default and meaning."""

import re
from pathlib import Path

from django.test import SimpleTestCase

from incident_response.settings import BASE_DIR, env

REQUIRED = {"SECRET_KEY", "HISTORY_KEY"}
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", re.MULTILINE)
LINE = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def shown(default: str) -> str:
    """A default as people see it: paths are relative to the checkout."""
    return default.replace(f"{BASE_DIR}/", "")


class SettingsDocumentedTests(SimpleTestCase):
    def test_it_has_each_setting_in_the_table(self):
        text = (BASE_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
        documented = {name: (default, meaning) for name, default, meaning in ROW.findall(text)}

        expected = {
            name: (
                "required" if name in REQUIRED else f"`{shown(variable.default)}`" if variable.default else "empty",
                variable.help,
            )
            for name, variable in env.variables.items()
        }
        self.assertEqual(documented, expected)

    def test_it_has_each_setting_in_the_template(self):
        text = Path(BASE_DIR / ".env.template").read_text(encoding="utf-8")

        templated = dict(LINE.findall(text))

        expected = {name: shown(variable.default) for name, variable in env.variables.items()}
        self.assertEqual(templated, expected)
