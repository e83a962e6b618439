"""The OpenAPI document says what the routes do."""

import io
import json
import warnings
from collections import Counter
from unittest import mock

from django.core.management import call_command
from django.test import TestCase
from django.urls import get_resolver
from rest_framework.test import APIClient

from intake.endpoints import endpoints, find
from intake.schema import TAG
from logs.endpoints.own import OwnEndpoint
from tests.test_permission_matrix import routes


class DescriptionTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        stdout, stderr = io.StringIO(), io.StringIO()
        with warnings.catch_warnings(), mock.patch("sys.stderr", stderr):
            call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=stdout)
        cls.complaints = stderr.getvalue()
        cls.schema = json.loads(stdout.getvalue())

    def test_it_describes_itself_without_warnings(self) -> None:
        self.assertEqual(self.complaints, "")

    def test_it_describes_every_route(self) -> None:
        described = {
            (method, path.strip("/").replace("{", "<").replace("}", ">"))
            for path, operations in self.schema["paths"].items()
            for method in operations
            if method != "parameters" and path.startswith("/api/v1/")
        }
        present = {(method, path.strip("/")) for method, path in routes(get_resolver()) if path.startswith("api/v1/")}

        self.assertEqual(_nameless(described), _nameless(present))

    def test_it_describes_every_endpoint(self) -> None:
        found = [
            (method, path, find(method.upper(), path))
            for path, operations in self.schema["paths"].items()
            for method, operation in operations.items()
            if TAG in operation["tags"]
        ]

        self.assertEqual([(method, path) for method, path, endpoint in found if endpoint is None], [])
        self.assertEqual(
            {type(one) for *_where, one in found if one}, {type(one) for one in endpoints()} - {OwnEndpoint}
        )  # our own is described as the route that it shares with the list of lines

    def test_it_gives_each_operation_a_name_and_problems(self) -> None:
        names = []
        for path, operations in self.schema["paths"].items():
            for method, operation in operations.items():
                with self.subTest(f"{method} {path}"):
                    names.append(operation["operationId"])

                    if TAG not in operation["tags"]:  # vendors have errors of their own
                        self.assertIn("application/problem+json", operation["responses"]["400"]["content"])
        self.assertEqual(len(names), len(set(names)))

    def test_it_says_in_a_line_what_each_operation_does(self) -> None:
        summaries = {
            f"{method} {path}": operation.get("summary", "")
            for path, operations in self.schema["paths"].items()
            for method, operation in operations.items()
        }

        self.assertEqual([name for name, summary in summaries.items() if not summary or "\n" in summary], [])
        self.assertEqual([text for text, times in Counter(summaries.values()).items() if times > 1], [])

    def test_it_says_what_becomes_of_what_a_put_leaves_out(self) -> None:
        descriptions = {
            path: operations["put"].get("description", "")
            for path, operations in self.schema["paths"].items()
            if "put" in operations and path.startswith("/api/v1/")
        }

        self.assertGreater(len(descriptions), 5)
        self.assertEqual([path for path, told in descriptions.items() if "Omitted" not in told], [])

    def test_it_serves_the_same_document(self) -> None:
        served = APIClient().get("/api/schema/").json()

        self.assertEqual(set(served["paths"]), set(self.schema["paths"]))


def _nameless(described: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without the names of path parameters, which the description chooses itself."""
    return {
        (method, "/".join("<>" if part.startswith("<") else part for part in path.split("/")))
        for method, path in described
    }
