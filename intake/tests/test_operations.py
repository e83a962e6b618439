"""Paths, methods and the OpenAPI document come from one declaration."""

import re

from django.test import SimpleTestCase

from intake.endpoints import Endpoint, endpoints, find
from intake.operations import Operation, path_regex
from intake.schema import add_endpoints


class OperationTests(SimpleTestCase):
    def test_it_matches_paths_by_their_templates(self) -> None:
        for template, path, found in (
            ("/gelf", "gelf", {}),
            ("/gelf", "gelf/", {}),
            ("/gelf", "gelf/x", None),
            ("/raw/1.0", "raw/1x0", None),
            ("/a/{key}/", "a/k/", {"key": "k"}),
            ("/a/{key}/", "a/k/l", None),
            ("/a/{name:path}/ping", "a/b/c/ping/", {"name": "b/c"}),
            ("/a/{name:path}/", "a/b/c/", {"name": "b/c"}),
        ):
            with self.subTest(template=template, path=path):
                match = re.fullmatch(path_regex(template), path)

                self.assertEqual(match and match.groupdict(), found)

    def test_it_says_what_stands_in_a_path(self) -> None:
        operation = Operation("GET", "/a/{id}/{name:path}", "Get", 200)

        self.assertEqual((operation.openapi_path, operation.parameters), ("/a/{id}/{name}", ["id", "name"]))

    def test_it_describes_every_operation_that_it_serves(self) -> None:
        document = add_endpoints({"components": {}, "paths": {}})

        for endpoint in endpoints():
            for operation in endpoint.operations:
                with self.subTest(f"{operation.method} {operation.path}"):
                    described = document["paths"][operation.openapi_path][operation.method.lower()]

                    self.assertIsInstance(find(operation.method, operation.openapi_path), Endpoint)
                    self.assertEqual(described["summary"], operation.summary)
                    for security in described["security"]:
                        self.assertLessEqual(security.keys(), document["components"]["securitySchemes"].keys())

    def test_it_refuses_other_methods_with_those_that_it_serves(self) -> None:
        answer = self.client.delete("/v1/logs")

        self.assertEqual((answer.status_code, answer["Allow"]), (405, "POST"))
