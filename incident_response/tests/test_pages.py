import re
from pathlib import Path
from unittest import mock

from django.contrib.staticfiles import finders
from django.db import DatabaseError, OperationalError, ProgrammingError
from django.test import Client, SimpleTestCase, TestCase, override_settings

from console import pages as console_pages
from core.api import problems as api
from core.db.outages import Outages
from core.errors import StorageUnavailable
from incident_response import pages
from users.models import User
from users.services.sessions import open_session
from users.tests.factories import make_admin
from users.tokens import access_token


class PageTests(TestCase):
    def test_it_leads_from_the_pages_to_the_back_office_and_the_api(self):
        self.client.force_login(make_admin())
        response = self.client.get("/settings/tokens/")

        for path in ("/admin/", "/api/docs/", "/api/redoc/"):
            self.assertContains(response, f'href="{path}"')

    def test_it_has_a_sign_for_the_tab(self):
        for path in ("/sign-in/", "/api/docs/", "/api/redoc/", "/forgotten-password/", "/nothing"):
            with self.subTest(path=path):
                self.assertRegex(self.client.get(path).content.decode(), r'rel="(shortcut )?icon"')

    def test_it_answers_browsers_that_ask_for_a_sign_by_themselves(self):
        response = self.client.get("/favicon.ico")

        self.assertEqual((response.status_code, response["Content-Type"]), (200, "image/svg+xml"))
        self.assertContains(response, "<svg")

    def test_it_describes_the_api(self):
        document = self.client.get("/api/schema/").json()

        self.assertTrue(document["openapi"].startswith("3."))
        self.assertIn("/api/v1/system/info/", document["paths"])

    def test_it_serves_docs_without_inline_scripts(self):
        for path in ("/sign-in/", "/api/docs/", "/api/redoc/"):
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

        self.assertContains(response, "Page not found", status_code=404)
        self.assertTrue(response["Content-Type"].startswith("text/html"))

    def test_it_hides_what_went_wrong(self):
        client = Client(raise_request_exception=False)

        for path in ("/api/schema/", "/api/redoc/", "/sign-in/"):
            with (
                self.subTest(path=path),
                mock.patch.object(console_pages, "render", side_effect=RuntimeError("inner secret")),
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


class DatabaseTroubleTests(TestCase):
    """What people and programs are told while the database does not do what it is there for."""

    TROUBLES = {
        "database_unavailable": OperationalError(2003, "Can't connect to MySQL server on 'secret' (timed out)"),
        "database_read_only": OperationalError("attempt to write a readonly database"),
        "database_full": OperationalError("database or disk is full"),
        "database_corrupt": DatabaseError("database disk image is malformed"),
        "database_busy": OperationalError("database is locked"),
    }

    def setUp(self):
        self.outages = Outages()
        for user in (api, pages):
            self.enterContext(mock.patch.object(user, "outages", self.outages))
        self.said = self.enterContext(mock.patch("core.db.outages.log"))
        self.client = Client(raise_request_exception=False)
        self.user = User.objects.create_superuser("admin@example.org", "a-long-password", name="A")

    def test_it_answers_503_everywhere_and_says_so_once(self):
        self.client.force_login(self.user)
        token = access_token(open_session(self.user))
        bearer = {"Authorization": f"Bearer {token}"}
        sign_in = {"email": "admin@example.org", "password": "a-long-password"}
        with self.assertNoLogs("django.request"):
            for code, error in self.TROUBLES.items():
                with mock.patch("django.db.backends.utils.CursorWrapper.execute", side_effect=error):
                    answers = [
                        self.client.get("/api/v1/incidents/", headers=bearer),
                        self.client.post("/api/v1/incidents/", {"title": "x"}, "application/json", headers=bearer),
                        self.client.post("/api/v1/auth/token/", sign_in, "application/json"),
                        self.client.get("/admin/"),
                        self.client.post("/sign-in/", {"email": "a", "password": "b"}),
                        self.client.post("/forgotten-password/", {"email": "a@example.org"}),
                    ]

                for answer in answers:
                    with self.subTest(code=code, path=answer.wsgi_request.path):
                        self.assertEqual((answer.status_code, answer["Retry-After"]), (503, "5"))
                        self.assertNotIn("secret", answer.content.decode())
                self.assertEqual([answer.json()["code"] for answer in answers[:3]], [code] * 3)
        self.assertEqual(self.said.error.call_count, len(self.TROUBLES))

    def test_it_still_calls_a_mistake_of_ours_one(self):
        for error in (ProgrammingError("near SELCT"), OperationalError("no such column: x"), ValueError("a bug")):
            with (
                self.subTest(error=error),
                mock.patch.object(pages, "render", side_effect=error),
                self.assertLogs("django.request", "ERROR") as logged,
            ):
                self.assertEqual(self.client.get("/api/redoc/").status_code, 500)
                self.assertIsNotNone(logged.records[0].exc_info)

    def test_it_says_when_the_file_store_may_be_asked_again(self):
        with (
            mock.patch.object(pages, "render", side_effect=StorageUnavailable("The files are away.")),
            self.assertLogs("django.request"),
        ):
            answer = self.client.get("/api/redoc/")

        self.assertEqual((answer.status_code, answer["Retry-After"]), (503, "10"))
        self.assertContains(answer, "The files are away.", status_code=503)
