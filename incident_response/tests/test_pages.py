import re
from pathlib import Path
from unittest import mock

from django.contrib.staticfiles import finders
from django.test import Client, SimpleTestCase, TestCase, override_settings

from incident_response import pages


class PageTests(TestCase):
    def test_it_leads_from_the_root_to_everything(self):
        response = self.client.get("/")

        for path in ("/admin/", "/api/docs/", "/api/redoc/", "/health/"):
            self.assertContains(response, f'href="{path}"')

    def test_it_has_a_sign_for_the_tab(self):
        for path in ("/", "/admin/login/", "/api/docs/", "/api/redoc/", "/forgotten-password/"):
            with self.subTest(path=path):
                self.assertRegex(self.client.get(path).content.decode(), r'rel="(shortcut )?icon"')

    def test_it_describes_the_api(self):
        document = self.client.get("/api/schema/").json()

        self.assertTrue(document["openapi"].startswith("3."))
        self.assertIn("/api/v1/system/info/", document["paths"])

    def test_it_serves_docs_without_inline_scripts(self):
        for path in ("/", "/api/docs/", "/api/redoc/"):
            with self.subTest(path=path):
                response = self.client.get(path)

                self.assertEqual(response.status_code, 200)
                self.assertNotRegex(response.content.decode(), r"<script(?![^>]*src=)|https?://(?!testserver)|on\\w+=")
                self.assertIn("script-src 'self'", response["Content-Security-Policy"])

    def test_it_keeps_redoc_from_asking_elsewhere_before_it_runs(self):
        page = self.client.get("/api/redoc/").content.decode()

        scripts = re.findall(r'<script src="/static/([a-z_]+)', page)
        bundle = Path(finders.find("drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js")).read_text()
        # All it fetches by itself is the one picture that is taken care of.
        self.assertEqual(scripts, ["redoc_offline", "drf_spectacular_sidecar"])
        self.assertEqual(re.findall(r'\bsrc:"(https?://[^"]+)', bundle), ["https://cdn.redoc.ly/redoc/logo-mini.svg"])

    def test_it_serves_the_script_of_the_docs(self):
        response = self.client.get("/api/docs/?script=")

        self.assertEqual(response["Content-Type"], "application/javascript")
        self.assertContains(response, "/api/schema/")


class ErrorTests(TestCase):
    def test_it_answers_a_problem_under_the_api(self):
        response = self.client.get("/api/v1/nothing/", headers={"Accept": "text/html"})

        problem = response.json()
        self.assertEqual(response["Content-Type"], "application/problem+json")
        self.assertEqual((response.status_code, problem["status"], problem["code"]), (404, 404, "not_found"))
        self.assertEqual(problem["request_id"], response["X-Request-ID"])

    def test_it_answers_a_page_elsewhere(self):
        response = self.client.get("/nothing")

        self.assertContains(response, "There is nothing at this address", status_code=404)
        self.assertTrue(response["Content-Type"].startswith("text/html"))

    def test_it_hides_what_went_wrong(self):
        client = Client(raise_request_exception=False)

        for path in ("/api/schema/", "/api/redoc/", "/"):
            with (
                self.subTest(path=path),
                mock.patch.object(pages, "render", side_effect=RuntimeError("inner secret")),
                mock.patch.object(pages, "schema", side_effect=RuntimeError("inner secret")),
                self.assertLogs("django.request", "ERROR"),
            ):
                response = client.get(path)

            self.assertEqual(response.status_code, 500)
            self.assertNotIn("secret", response.content.decode())
            is_problem = response["Content-Type"] == "application/problem+json"
            self.assertEqual(is_problem, path.startswith("/api/"))

    def test_it_refuses_a_malformed_or_foreign_host(self):
        for host in ("evil.example.com", "bad host", "a:b:c"):
            with self.subTest(host=host), self.assertLogs("django.security.DisallowedHost", "ERROR"):
                response = self.client.get("/api/schema/", headers={"Host": host})

                self.assertEqual(response.status_code, 400)
                self.assertEqual(response.json()["code"], "invalid")

    def test_it_answers_a_wrong_method_with_a_problem(self):
        response = self.client.post("/api/schema/")

        self.assertEqual((response.status_code, response.json()["status"]), (405, 405))


class HandlerTests(SimpleTestCase):
    @override_settings(DEBUG=False)
    def test_it_makes_every_kind_of_error(self):
        request = mock.Mock(path="/api/v1/", request_id="abc")

        codes = [
            pages.bad_request(request, Exception()).status_code,
            pages.forbidden(request, Exception()).status_code,
            pages.not_found(request, Exception()).status_code,
            pages.server_error(request).status_code,
        ]

        self.assertEqual(codes, [400, 403, 404, 500])
