"""Every example of docs/legacy.md, run in its order."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

from django.test import TestCase, override_settings
from rest_framework.test import APIClient

from incidents.models import Incident
from incidents.tests.factories import make_service, make_team
from tests.databases import ROOT
from users.services import create_personal_token
from users.tests.factories import make_admin

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
EXAMPLE = re.compile(r"(curl .*?)\n# (\d+) ?(.*)", re.DOTALL)
CHECK = re.compile(r'(\w+)(?:=("[^"]*"|\[[^\]]*\]|\S+))?')


def examples() -> Iterator[tuple[str, int, list[tuple[str, str]]]]:
    """Each command, the status it leads to, and the fields of the answer, with their value where it is said."""
    page = (ROOT / "docs" / "legacy.md").read_text(encoding="utf-8")
    for block in BLOCK.findall(page):
        for part in block.strip().split("\n\n"):
            command, status, checks = EXAMPLE.fullmatch(part).groups()  # type: ignore[union-attr]
            yield command.replace("\\\n", " "), int(status), CHECK.findall(checks)


def run(command: str, token: str) -> Any:
    """The answer to a curl command."""
    words = iter(shlex.split(command.replace("$TOKEN", token).replace("$SERVER", "")))
    assert next(words) == "curl"
    method, path, body, headers = "", "", "", {}
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _colon, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            path = word
    kind = headers.pop("Content-Type", "application/x-www-form-urlencoded")
    return APIClient().generic(method or "GET", path, body, kind, headers={"Accept": "*/*", **headers})


@override_settings(
    ROOT_URLCONF="incident_response.legacy.tests.urlconf",
    SLACK_BOT_TOKEN="",
    SLACK_SIGNING_SECRET="",
    LEGACY_ROUTES=True,
)
class ExampleTests(TestCase):
    def numbered(self, command: str) -> str:
        """The command with the numbers that incidents have here."""
        first = Incident.objects.order_by("pk").values_list("pk", flat=True).first() or 1
        return re.sub(
            r"((?:incidents|tickets)/(?:INC-)?|\?id=)(\d+)",
            lambda found: f"{found[1]}{first + int(found[2]) - 1}",
            command,
        )

    def test_it_answers_every_example_as_the_page_says(self) -> None:
        admin = make_admin()
        make_team("Database team", admin)
        make_service("database")
        _row, token = create_personal_token(admin, name="script", scope="write")
        run_examples = 0

        for command, status, checks in examples():
            with self.subTest(command):
                answer = run(self.numbered(command), token)
                found = answer.json() if checks else {}
                first = Incident.objects.order_by("pk").values_list("pk", flat=True).first() or 1

                self.assertIn(answer.status_code, (200, 503) if "/health" in command else (status,), answer.content)
                self.assertLessEqual({name for name, _value in checks}, set(found))
                for name, value in checks:
                    if value:
                        said = f"INC-{first}" if name == "reference" else json.loads(value)
                        said = first + said - 1 if name == "id" else said
                        self.assertEqual(found[name], said, name)
            run_examples += 1
        self.assertGreater(run_examples, 20)

    def test_it_has_an_example_or_a_reason_for_every_address(self) -> None:
        from incident_response.legacy.urls import urlpatterns

        commands = "\n".join(command for command, _status, _checks in examples())
        untold = [
            str(one.pattern)
            for one in urlpatterns
            if not re.search(r"\$SERVER/" + re.sub(r"<str:id>", r"[\\w-]+", str(one.pattern)) + r"\b", commands)
        ]

        self.assertEqual(untold, ["webhooks/slack"])  # signed: incident_response.legacy.tests.test_views
