"""The OpenAPI document describes runbooks as they are judged."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.test import TestCase
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from remediation.models import RunbookSecret
from remediation.steps.placeholders import names_in
from remediation.steps.port import all_kinds
from remediation.tests.factories import fake
from remediation.validation import LIMITS
from tests.test_openapi_answers import as_json_schema
from users.tests.factories import client_of, make_admin

URL = "/api/v1/runbooks/"
OPS = "https://ops.example/v1"
HTTP = {"kind": "http", "act": {"method": "POST", "url": OPS}, "verify": {"url": OPS}}
AGENT = {"kind": "agent", "agent": "web-1", "act": {"command": "restart"}, "verify": {"command": "status"}}
SSM = {"kind": "ssm", "tags": {"a": "b"}, "act": {"document": "Restart"}, "verify": {"document": "Check"}}
RESTART = {"operation": "restart", "namespace": "shop", "name": "web"}
SCALE = {"operation": "scale", "namespace": "shop", "name": "web", "replicas": 3}
KUBERNETES = {"kind": "kubernetes", "act": RESTART}
TEXT = {"name": "host", "kind": "string", "pattern": "[a-z]+"}
NUMBER = {"name": "few", "kind": "integer", "minimum": 1, "maximum": 3}
CHOICE = {"name": "zone", "kind": "choice", "choices": ["a", "b"]}


def documented(name: str) -> list[dict[str, Any]]:
    """Return the runbooks and steps of a page."""
    text = (settings.BASE_DIR / "docs" / name).read_text()
    blocks = re.findall(r"(?:^ {4}.*\n)+", text, re.MULTILINE)
    return [json.loads(found[0]) for block in blocks if (found := re.search(r'\{"(?:kind|name)":.*', block, re.DOTALL))]


def runbook_of(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a runbook of a step, with parameters for its placeholders."""
    names = sorted(set(names_in(step)) - {"target"})
    return {
        "name": f"Of {step['kind']}",
        "parameters": [{"name": name, "kind": "choice", "choices": ["x"]} for name in names],
        "steps": [step],
    }


class DescriptionTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        document = SchemaGenerator().get_schema(request=None, public=True)
        cls.components = as_json_schema(document["components"])
        cls.examples = [
            *documented("remediation.md"),
            *(runbook_of(step) for step in documented("remediation-steps.md")),
        ]
        RunbookSecret.objects.create(name="ops", url_prefix=OPS, header="Authorization", sealed="x")

    def faults(self, name: str, value: Any) -> list[str]:
        schema = {"$ref": f"#/components/schemas/{name}", "components": self.components}
        return [fault.json_path for fault in Draft202012Validator(schema).iter_errors(value)]

    def test_it_describes_the_documented_runbooks(self) -> None:
        kinds = {step["kind"] for example in self.examples for step in example["steps"]}

        self.assertEqual(kinds, {kind.kind for kind in all_kinds()} - {fake.kind})
        for example in self.examples:
            with self.subTest(example["name"]):
                self.assertEqual(self.faults("RunbookChangeRequest", example), [])

    def test_it_describes_what_is_answered(self) -> None:
        api = client_of(make_admin())
        for example in self.examples:
            for given in ({}, {"automatic_for": {"severity_from": "high", "services": [], "title_words": ["shop"]}}):
                parameters = [{**one, "default": "web-1" if "pattern" in one else "x"} for one in example["parameters"]]
                body = {**example, "name": f"{example['name']} {len(given)}", "parameters": parameters, **given}
                with self.subTest(body["name"]):
                    answer = api.post(URL, body, "json")

                    self.assertEqual(answer.status_code, 201, answer.content)
                    self.assertEqual(self.faults("ShownRunbook", answer.json()), [])
                    versions = api.get(f"{URL}{answer.json()['id']}/versions/").json()
                    self.assertEqual(self.faults("RunbookVersion", versions[0]), [])

    def test_it_shows_steps_from_before_every_step_verified(self) -> None:
        old = {name: value for name, value in HTTP.items() if name != "verify"}

        self.assertEqual(self.faults("RunbookStep", old), [])
        self.assertNotEqual(self.faults("RunbookStepRequest", old), [])

    def test_it_says_what_the_checks_say(self) -> None:
        api = client_of(make_admin())
        for number, (is_right, given) in enumerate(cases()):
            body = {"name": f"Case {number}", "steps": [HTTP], **given}
            with self.subTest(given=given):
                answer = api.post(URL, body, "json")

                self.assertEqual(answer.status_code, 201 if is_right else 400, answer.content)
                self.assertEqual(not self.faults("RunbookChangeRequest", body), is_right)


def cases() -> list[tuple[bool, dict[str, Any]]]:
    """Return parts of definitions, and whether they can be used."""
    limits = [
        (is_right, {"max_percent": 100, name: value})
        for name, (least, most) in LIMITS.items()
        for is_right, value in ((True, most), (False, least - 1), (False, most + 1), (False, "x"))
    ]
    parameters = [
        (True, [TEXT, NUMBER, CHOICE, {"name": "on", "kind": "boolean", "default": False}]),
        (True, [{**TEXT, "default": None, "label": ""}, {"name": "one", "kind": "service", "default": "shop"}]),
        *((False, [wrong]) for wrong in ({**TEXT, "kind": "float"}, {**TEXT, "name": "A"}, {**TEXT, "pattern": ""})),
        *((False, [{**TEXT, name: 1}]) for name in ("label", "default", "minimum", "more")),
        *((False, [{name: one[name] for name in one if name != missing}]) for one, missing in (
            (TEXT, "pattern"), (TEXT, "name"), (NUMBER, "minimum"), (NUMBER, "maximum"), (CHOICE, "choices")
        )),
        *((False, [{**CHOICE, "choices": wrong}]) for wrong in ([], "ab", [1], [""])),
        (False, {}),
    ]  # fmt: skip
    matchers = [
        *((True, right) for right in (None, {"services": ["shop"]}, {"severity_from": "low", "title_words": []})),
        *((False, wrong) for wrong in ({}, [], {"teams": ["a"]}, {"services": "shop"}, {"services": None})),
        *((False, {"title_words": words}) for words in ([""], [1], ["x" * 101], ["x"] * 21)),
        (False, {"severity_from": "worst"}),
    ]
    return [
        *limits,
        *((is_right, {"parameters": given}) for is_right, given in parameters),
        *((is_right, {"automatic_for": given}) for is_right, given in matchers),
        *((is_right, {"steps": given, "parameters": [NUMBER], "max_percent": 100}) for is_right, given in steps()),
    ]


def steps() -> list[tuple[bool, Any]]:
    """Return steps, and whether they can be used."""
    return [
        *((False, wrong) for wrong in ({}, [], [HTTP] * 11, ["http"], [{"kind": "magic"}], [{}])),
        *((False, [{**step, "more": 1}]) for step in (HTTP, AGENT, SSM, KUBERNETES)),
        *((False, [{**step, "act": {**step["act"], "more": 1}}]) for step in (HTTP, AGENT, SSM, KUBERNETES)),
        *((False, [{name: step[name] for name in step if name != "act"}]) for step in (HTTP, AGENT, SSM, KUBERNETES)),
        *((False, [{name: step[name] for name in step if name != "verify"}]) for step in (HTTP, AGENT, SSM)),
        *((True, [{**step, "roll_back": None}]) for step in (AGENT, SSM, KUBERNETES)),
        (False, [{**HTTP, "roll_back": None}]),
        (True, [{**HTTP, "targets": ["web"], "secret": "ops", "dry_run": {"method": "HEAD", "url": OPS}}]),
        *((False, [{**HTTP, "verify": {"url": OPS, **wrong}}]) for wrong in (
            {"method": "POST"}, {"body": {}}, {"url": 1}, {"headers": {"A": 1}}, {"timeout_seconds": 0},
            {"timeout_seconds": 3601}, {"expect": {"status": [99]}}, {"expect": {"contains": ""}}, {"expect": []},
        )),
        (True, [{**HTTP, "verify": {"url": OPS, "headers": {"A": ""}, "expect": {"status": [200], "contains": "x"}}}]),
        *((False, [{**HTTP, "targets": wrong}]) for wrong in ([], "web", [1], [""], ["x" * 201], ["x"] * 51)),
        (False, [{**AGENT, "act": {"command": "Restart"}}]),
        (False, [{**AGENT, "act": {"command": "restart", "arguments": {"unit": 1}}}]),
        (False, [{**AGENT, "agent": ""}]),
        (False, [{**SSM, "tags": {}}]),
        (False, [{**SSM, "act": {"document": "{x}"}}]),
        (False, [{**SSM, "act": {"document": "Restart", "parameters": {"unit": "web"}}}]),
        (False, [{**SSM, "act": {"document": "Restart", "seconds": 0}}]),
        *((True, [{"kind": "kubernetes", "act": {**SCALE, "replicas": right}}]) for right in (1, 1000, "{few}")),
        *((False, [{"kind": "kubernetes", "act": {**SCALE, "replicas": wrong}}]) for wrong in (-1, 1001, "3", True)),
        *((False, [{"kind": "kubernetes", "act": {**RESTART, **wrong}}]) for wrong in (
            {"operation": "delete"}, {"resource": "pod"}, {"namespace": ""}, {"name": 1}
        )),
        (False, [{**KUBERNETES, "check": {"min_available": -1}}]),
        (False, [{**KUBERNETES, "roll_back": {"operation": "restart"}}]),
    ]  # fmt: skip
