"""Log lines as they are written, and what must not be in them."""

import copy
import io
import json
import logging
import logging.config
from typing import Any
from unittest import mock

import structlog
from django.conf import settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousFileOperation,
    SuspiciousOperation,
)
from django.test import Client, SimpleTestCase, TestCase

from core.server.loglines import OneLineRefusals
from incident_response import pages

KEY = "Kq3vT9xW2mB7nR5cY8dF4hJ6"


class Written:
    """What is logged within: the lines as the server's own formatter renders them."""

    def __init__(self, renderer: object) -> None:
        described = copy.deepcopy(settings.LOGGING["formatters"]["lines"])
        described["processors"][-2] = renderer
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(logging.config.DictConfigurator({}).configure_formatter(described))
        self.handler.addFilter(OneLineRefusals())

    def __enter__(self) -> "Written":
        logging.getLogger().addHandler(self.handler)
        return self

    def __exit__(self, *_error: object) -> None:
        logging.getLogger().removeHandler(self.handler)

    @property
    def text(self) -> str:
        return self.stream.getvalue()


RENDERERS = (structlog.dev.ConsoleRenderer(colors=False), structlog.processors.JSONRenderer())


class RequestTests(TestCase):
    def test_it_writes_no_link_that_acknowledges(self) -> None:
        token = f"{KEY}-_{KEY}"[:43]
        for renderer in RENDERERS:
            with Written(renderer) as written:
                logging.getLogger("django.request").warning("Forbidden: /a/%s/ of %s", token, f"https://x/a/{token}/")
                logging.getLogger("django.request").warning("Not Found: /a/short/")

            self.assertNotIn(token, written.text)
            self.assertIn("/a/short/", written.text)

    def test_it_writes_no_key_of_an_address_that_is_not_there(self) -> None:
        paths = (
            f"/intake/{KEY}/backup-job/7/",
            f"/x//intake//{KEY}/",
            f"/Intake/{KEY}",
            f"/intake/{KEY}/%2Fx",
        )
        for path in paths:
            for renderer in RENDERERS:
                with self.subTest(path), Written(renderer) as written:
                    self.client.get(path)

                    self.assertNotIn(KEY, written.text)
                    self.assertIn("Not Found: /", written.text)

    def test_it_writes_no_key_of_a_method_that_is_not_taken(self) -> None:
        with Written(RENDERERS[0]) as written:
            self.client.delete(f"/intake/{KEY}/")

        self.assertNotIn(KEY, written.text)
        self.assertIn("Method Not Allowed: /intake/…/", written.text)

    def test_it_writes_no_key_that_was_copied_with_a_blank(self) -> None:
        with Written(RENDERERS[0]) as written:
            self.client.get(f"/intake/%20{KEY}/")

        self.assertNotIn(KEY, written.text)
        self.assertIn("Forbidden: /intake/…", written.text)

    def test_it_writes_no_key_when_something_breaks(self) -> None:
        self.client.raise_request_exception = False
        broken = mock.patch("incident_response.middleware.serve", side_effect=RuntimeError(f"at /intake/{KEY}/"))
        with broken, Written(RENDERERS[0]) as written:
            response = self.client.post(f"/intake/{KEY}/", "{}", content_type="application/json")

        self.assertEqual(response.status_code, 500)
        self.assertNotIn(KEY, written.text)
        self.assertIn("Internal Server Error: /intake/…", written.text)
        self.assertIn("RuntimeError: at /intake/…/", written.text)


class LineTests(SimpleTestCase):
    def test_it_writes_no_key_into_the_log_of_requests(self) -> None:
        for logger in ("django.server", "uvicorn.error"):
            with self.subTest(logger), Written(RENDERERS[0]) as written:
                logging.getLogger(logger).error("/admin/intake/%s/", KEY)
                self.assertNotIn(KEY, written.text)
                logging.getLogger(logger).error('"%s" %s', f"GET /intake/{KEY}/?x=1 HTTP/1.1", 404)

                self.assertIn('"GET /intake/…/?x=1 HTTP/1.1" 404', written.text)

    def test_it_writes_no_key_of_a_field(self) -> None:
        for renderer in RENDERERS:
            with Written(renderer) as written:
                structlog.get_logger("a").error("refused", path=f"/intake/{KEY}/heartbeat/")

            self.assertNotIn(KEY, written.text)
            self.assertIn("/heartbeat/", written.text)

    def test_it_leaves_everything_else_as_it_is(self) -> None:
        for line in (
            "/admin/intake/source/7/",
            "alerts/intake/serving.py",
            "/intake/",
            "/intake-events/7/",
            "intake of alerts",
        ):
            with self.subTest(line), Written(RENDERERS[0]) as written:
                logging.getLogger("a").error(line)

                self.assertIn(f"{line} ", written.text)
                self.assertIn("[a]", written.text)


class RefusalTests(TestCase):
    """What the caller did wrong is one line of ours, and no error."""

    def lines(self, *requests: dict[str, Any]) -> tuple[list[int], list[str]]:
        client = Client(raise_request_exception=False)
        with Written(structlog.processors.JSONRenderer()) as written:
            codes = [client.generic(**request).status_code for request in requests]
        return codes, written.text.splitlines()

    def test_it_logs_a_foreign_host_in_a_line(self) -> None:
        codes, lines = self.lines({"method": "GET", "path": "/api/v1/incidents/", "HTTP_HOST": "elsewhere.example"})

        self.assert_one_line(codes, lines, 400, "Invalid HTTP_HOST header")

    def test_it_logs_too_many_fields_in_a_line(self) -> None:
        form = "&".join(f"field{number}=x" for number in range(1001))
        content_type = "application/x-www-form-urlencoded"

        codes, lines = self.lines({"method": "POST", "path": "/sign-in/", "data": form, "content_type": content_type})

        self.assert_one_line(codes, lines, 400, "The number of GET/POST parameters exceeded")

    def test_it_logs_what_somebody_may_not_do_in_a_line(self) -> None:
        with mock.patch.object(pages, "render", side_effect=PermissionDenied("Not you.")):
            codes, lines = self.lines({"method": "GET", "path": "/api/redoc/"})

        self.assert_one_line(codes, lines, 403, "Forbidden (Permission denied): /api/redoc/")

    def test_it_logs_suspicious_requests_in_a_line(self) -> None:
        for error in (SuspiciousFileOperation("../x"), SuspiciousOperation("odd"), RequestDataTooBig("large")):
            with self.subTest(error=error), mock.patch.object(pages, "render", side_effect=error):
                codes, lines = self.lines({"method": "GET", "path": "/api/redoc/"})

                self.assert_one_line(codes, lines, 400, str(error))

    def test_it_leaves_the_traceback_to_mistakes_of_ours(self) -> None:
        with mock.patch.object(pages, "render", side_effect=ValueError("a bug")):
            codes, lines = self.lines({"method": "GET", "path": "/api/redoc/"})

        self.assertEqual((codes, json.loads(lines[0])["level"]), ([500], "error"))
        self.assertIn("Traceback", lines[0])

    def assert_one_line(self, codes: list[int], lines: list[str], code: int, text: str) -> None:
        self.assertEqual((codes, len(lines)), ([code], 1), lines)
        line = json.loads(lines[0])
        self.assertEqual((line["level"], "exception" in line), ("warning", False), line)
        self.assertIn(text, line["event"])


class LibraryTests(SimpleTestCase):
    def test_it_keeps_the_characters_of_documents_out_of_the_log(self) -> None:
        described = settings.LOGGING["loggers"]["fontTools"]

        self.assertGreater(logging.getLevelName(described["level"]), logging.INFO)
