"""What is answered has the shape that the OpenAPI document promises."""

import datetime as dt
import re
from typing import Any

from django.test import TestCase
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from alerts.models import Silence
from alerts.tests.factories import make_source, matchers_of
from incidents.tests.factories import make_incident, make_team
from users.models import PersonalToken
from users.tests.factories import client_of, make_admin, make_responder

API = "/api/v1/"


def as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` is its own way of saying that null will do."""
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    shape = {name: as_json_schema(value) for name, value in node.items() if name != "nullable"}
    return {"anyOf": [shape, {"type": "null"}]} if node.get("nullable") is True else shape


class AnswerTests(TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        document = SchemaGenerator().get_schema(request=None, public=True)
        cls.paths, cls.components = document["paths"], as_json_schema(document["components"])

    def setUp(self) -> None:
        self.admin = make_admin()
        self.responder = make_responder()
        make_team("Network", self.responder)
        make_incident()
        make_source()
        now = timezone.now()
        weekly = {"weekdays": [0], "starts_time": dt.time(22), "ends_time": dt.time(2), "time_zone": "Europe/Berlin"}
        Silence.objects.create(
            matchers=matchers_of(("rack", "=", "4")), starts_at=now, ends_at=now + dt.timedelta(days=1), **weekly
        )
        PersonalToken.objects.create(user=self.admin, name="CI", digest="0" * 64, prefix="abcd")

    def faults(self, path: str, answer: Any) -> list[str]:
        content = self.paths[path]["get"]["responses"][str(answer.status_code)]["content"]["application/json"]
        schema = {**as_json_schema(content["schema"]), "components": self.components}
        return [fault.message for fault in Draft202012Validator(schema).iter_errors(answer.json())]

    def test_it_knows_midnight_as_an_end_and_not_as_a_beginning(self) -> None:
        policy = self.components["schemas"]["SlaPolicy"]["properties"]
        begin, end = (re.compile(policy[name]["pattern"]) for name in ("opens_at", "closes_at"))

        said = {time: (bool(begin.search(time)), bool(end.search(time))) for time in ("09:00", "24:00:00", "24:30")}

        self.assertEqual(said, {"09:00": (True, True), "24:00:00": (False, True), "24:30": (False, False)})

    def test_it_answers_lists_in_the_shape_it_documents(self) -> None:
        lists = [path for path, operations in self.paths.items() if path.startswith(API) and is_list(path, operations)]

        for person in (self.admin, self.responder):
            client = client_of(person)
            for path in lists:
                with self.subTest(path, role=person.role):
                    answer = client.get(path)

                    self.assertIn(answer.status_code, {200, 403})
                    if answer.status_code == 200:
                        self.assertEqual(self.faults(path, answer), [])

        self.assertGreater(len(lists), 15)

    def test_it_documents_what_is_answered_to_a_repeat(self) -> None:
        for path in (f"{API}incidents/{{id}}/subscribers/", f"{API}teams/{{team_id}}/members/"):
            with self.subTest(path):
                self.assertLessEqual({"200", "201"}, set(self.paths[path]["post"]["responses"]))

    def test_it_documents_the_kinds_of_sources(self) -> None:
        kinds = self.components["schemas"]["SourceKindEnum"]["enum"]

        self.assertIn("alertmanager", kinds)
        stores = self.components["schemas"]["LogStoreEnum"]["enum"]
        self.assertEqual(stores, ["internal", "cloudwatch", "elasticsearch", "loki", "splunk"])

    def test_it_documents_that_it_may_be_away(self) -> None:
        silent = [
            f"{method} {path}"
            for path, operations in self.paths.items()
            for method, operation in operations.items()
            if path.startswith(API) and "503" not in operation.get("responses", {})
        ]

        self.assertEqual(silent, [])


def is_list(path: str, operations: dict[str, Any]) -> bool:
    content = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
    return "{" not in path and "application/json" in content
