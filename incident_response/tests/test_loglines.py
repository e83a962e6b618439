"""Log lines as they are written, and what must not be in them."""

import copy
import io
import logging
import logging.config
from unittest import mock

import structlog
from django.conf import settings
from django.test import SimpleTestCase, TestCase

KEY = "Kq3vT9xW2mB7nR5cY8dF4hJ6"


class Written:
    """What is logged within: the lines as the server's own formatter renders them."""

    def __init__(self, renderer: object) -> None:
        described = copy.deepcopy(settings.LOGGING["formatters"]["lines"])
        described["processors"][-2] = renderer
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(logging.config.DictConfigurator({}).configure_formatter(described))

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
    def test_it_writes_no_key_of_an_address_that_is_not_there(self) -> None:
        paths = (f"/intake/{KEY}/backup-job/7/", f"/x//intake//{KEY}/", f"/Intake/{KEY}", f"/intake/{KEY}/%2Fx")
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
                logging.getLogger(logger).error('"%s" %s', f"GET /intake/{KEY}/?x=1 HTTP/1.1", 404)

                self.assertIn('"GET /intake/…/?x=1 HTTP/1.1" 404', written.text)

    def test_it_writes_no_key_of_a_field(self) -> None:
        for renderer in RENDERERS:
            with Written(renderer) as written:
                structlog.get_logger("a").error("refused", path=f"/intake/{KEY}/heartbeat/")

            self.assertNotIn(KEY, written.text)
            self.assertIn("/heartbeat/", written.text)

    def test_it_leaves_everything_else_as_it_is(self) -> None:
        for line in ("alerts/intake/serving.py", "/intake/", "/intake-events/7/", "intake of alerts"):
            with self.subTest(line), Written(RENDERERS[0]) as written:
                logging.getLogger("a").error(line)

                self.assertIn(f"{line} ", written.text)
                self.assertIn("[a]", written.text)
