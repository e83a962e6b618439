"""The doors on the real server's way in: chunked bodies, odd types, and nothing of Django's middleware."""

import asyncio
import json
from typing import Any
from unittest import mock

from django.test import TransactionTestCase, override_settings

from alerts.models import IntakeEvent
from alerts.tests.factories import make_key, make_source
from incident_response.bodies import Budget


class GatewayTests(TransactionTestCase):
    def setUp(self) -> None:
        self.path = f"/intake/{make_key(make_source())}/"

    def ask(self, *chunks: bytes, path: str = "", method: str = "POST", ends: bool = True, **headers: str) -> Any:
        """What the server is sent for a request whose body comes in these chunks."""
        from incident_response.gateway import application

        scope = {
            "type": "http",
            "method": method,
            "path": path or self.path,
            "query_string": b"",
            "http_version": "1.1",
            "scheme": "http",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 5000),
            "server": ("127.0.0.1", 8000),
        }
        messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        messages.append({"type": "http.request", "body": b""} if ends else {"type": "http.disconnect"})
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(application(scope, receive, send))
        return sent

    def test_it_takes_a_body_in_chunks_without_type_or_length(self) -> None:
        body = json.dumps({"title": "Disk full"}).encode()

        start, content = self.ask(body[:5], body[5:9], body[9:], transfer_encoding="chunked")

        self.assertEqual(start["status"], 202)
        self.assertEqual(json.loads(content["body"]), {"accepted": True, "alerts": 1})
        self.assertEqual(bytes(IntakeEvent.objects.get().body), body)

    def test_it_answers_nothing_and_keeps_nothing_when_the_client_breaks_off(self) -> None:
        sent = self.ask(b'{"title": "Disk', ends=False)

        self.assertEqual((sent, IntakeEvent.objects.count()), ([], 0))

    def test_it_refuses_a_body_that_is_announced_too_large(self) -> None:
        start, content = self.ask(b"x", content_length=str(11 * 1024 * 1024))

        self.assertEqual(start["status"], 413)
        self.assertIn("larger than", json.loads(content["body"])["detail"])

    @override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["elsewhere.example.org"])
    def test_it_is_never_redirected_and_asks_for_no_host(self) -> None:
        start, _content = self.ask(b'{"title": "Disk full"}', host="10.0.0.5")

        self.assertEqual(start["status"], 202)

    def test_it_asks_to_come_back_when_others_fill_the_memory(self) -> None:
        with mock.patch("incident_response.gateway.intake_budget", Budget(10)):
            start, content = self.ask(b'{"title": ', b'"Disk full"}')
            again, _content = self.ask(b"{}")

        self.assertEqual((start["status"], dict(start["headers"])[b"retry-after"]), (503, b"2"))
        self.assertIn("waiting", json.loads(content["body"])["detail"])
        self.assertEqual((again["status"], IntakeEvent.objects.count()), (400, 1))  # what was refused took nothing

    def test_it_leaves_other_paths_to_django(self) -> None:
        start, *_rest = self.ask(path="/livez", method="GET", host="127.0.0.1")

        self.assertEqual(start["status"], 200)
